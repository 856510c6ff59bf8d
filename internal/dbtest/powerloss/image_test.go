package powerloss

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// On one good image, each promise that the image does not keep is found.
func TestExamineFindsWhatAnImageLacks(t *testing.T) {
	r := Run{Senders: 1, Deliveries: 3, Body: 5000}
	disk, err := NewDisk(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	run := &run{Run: r, disk: disk, ledger: ledger{bodies: map[string]string{}, settled: map[string]bool{}}}
	db, err := run.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	defer run.inbox.Close()
	for n := range r.Deliveries {
		run.ledger.acknowledge("uid-0-"+string(rune('0'+n)), run.body(0, n))
	}
	want := run.ledger.promised()
	good := disk.Cut(Loss{}, nil)
	if found := look(t, good, want, false); len(found.Lost) != r.Deliveries {
		t.Errorf("of an empty image %d deliveries are lost, want %d", len(found.Lost), r.Deliveries)
	}
	for n := range r.Deliveries {
		if err := run.inbox.Put(t.Context(), run.delivery(0, n)); err != nil {
			t.Fatal(err)
		}
	}
	good = disk.Cut(Loss{}, nil)
	for _, drain := range []bool{false, true} {
		if diff := cmp.Diff(Report{}, look(t, good, want, drain)); diff != "" {
			t.Errorf("a good image (-want +got):\n%s", diff)
		}
		lie := want.promised()
		lie.bodies["uid-0-1"] += "x"
		if diff := cmp.Diff(Report{Lost: []string{"uid-0-1"}}, look(t, good, lie, drain)); diff != "" {
			t.Errorf("a body cut short (-want +got):\n%s", diff)
		}
		lie = want.promised()
		lie.settled["uid-0-2"] = true
		if found := look(t, good, lie, drain); len(found.Undone) == 0 || len(found.Lost) > 0 {
			t.Errorf("a missing settlement gave %+v", found)
		}
	}
	half := Image{database: good[database]} // without the log
	if found := look(t, half, want, false); len(found.Lost) != r.Deliveries {
		t.Errorf("without the log %d deliveries are lost, want %d", len(found.Lost), r.Deliveries)
	}
}

func look(t *testing.T, img Image, want *ledger, drain bool) Report {
	t.Helper()
	mine := make(Image, len(img))
	for name, data := range img {
		mine[name] = append([]byte(nil), data...)
	}
	found, err := examine(mine, want, drain)
	if err != nil {
		t.Fatal(err)
	}
	return found
}
