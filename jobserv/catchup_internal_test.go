package jobserv

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAPositionIsReadAsItIsWritten(t *testing.T) {
	since := time.Unix(1, 999).UTC()
	for _, p := range []position{
		{upto: 0, since: since},
		{upto: 12, since: since},
		{upto: 12, since: since, open: []int64{1, 7, 12}},
		{upto: 12, since: since, created: since.Add(1)},
		{upto: 12, since: since, created: since.Add(1), open: []int64{1, 7, 12}},
	} {
		got, ok := parsePosition(p.String())
		if diff := cmp.Diff(p, got, cmp.AllowUnexported(position{})); diff != "" || !ok {
			t.Errorf("%v (-want +got):\n%s", ok, diff)
		}
	}
	for _, text := range []string{
		"", "1", "12 2026-01-02T03:04:05Z", "12 yesterday ", "x 2026-01-02T03:04:05Z ", "-1 2026-01-02T03:04:05Z ",
		"12 2026-01-02T03:04:05Z 1,x", "12 2026-01-02T03:04:05Z 13", "12 2026-01-02T03:04:05Z 7,7", "12 2026-01-02T03:04:05Z 1 2",
		"12 2026-01-02T03:04:05Z 1 2026-01-02T03:04:05Z ",
	} {
		if _, ok := parsePosition(text); ok {
			t.Errorf("%q is read", text)
		}
	}
}

func TestAPositionHasRoomForSomeOpenBuilds(t *testing.T) {
	many := make([]int64, 100)
	for n := range many {
		many[len(many)-1-n] = 1_000_000_000_000 + 2*int64(n)
	}
	p := position{since: time.Now(), listed: time.Now()}.moved(2_000_000_000_000, 0, many)
	if len(p.open) != maxOpen || p.upto != 1_000_000_000_000+2*maxOpen-1 {
		t.Errorf("up to %d with %d open builds", p.upto, len(p.open))
	}
	if n := len(p.String()); n > 1024 {
		t.Errorf("its text has %d bytes, over 1 KiB", n)
	}
	p = p.moved(20, 7, []int64{9, 3, 3, 6, 8})
	if diff := cmp.Diff([]int64{3, 6}, p.open); diff != "" || p.upto != 6 {
		t.Errorf("up to %d, open (-want +got):\n%s", p.upto, diff)
	}
}

func TestWhatOneOfTwoProcessesHasSettledIsSettled(t *testing.T) {
	a := position{upto: 10, open: []int64{2, 5, 9}, since: time.Unix(7, 0), created: time.Unix(20, 0)}
	b := position{upto: 14, open: []int64{5, 7, 12}, since: time.Unix(3, 0), created: time.Unix(30, 0)}
	want := position{upto: 14, open: []int64{5, 12}, since: time.Unix(3, 0), created: time.Unix(30, 0)}
	for _, got := range []position{a.merged(b), b.merged(a)} {
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(position{})); diff != "" {
			t.Errorf("merged (-want +got):\n%s", diff)
		}
	}
}

func TestACollectorKeepsWhatWasCompletedFirstInBoundedMemory(t *testing.T) {
	c := newCollector(3)
	for n := 100; n > 0; n-- { // newest first, as a list, and some again
		for range 2 {
			c.add(missingBuild{id: int64(n), key: fmt.Sprint(n), completed: time.Unix(int64(n), 0)})
		}
		if len(c.list) > 6 || len(c.byKey) > 6 {
			t.Fatalf("it keeps %d and %d builds", len(c.list), len(c.byKey))
		}
	}
	got, beyond := c.oldest()
	var ids []int64
	for _, m := range got {
		ids = append(ids, m.id)
	}
	if diff := cmp.Diff([]int64{1, 2, 3}, ids); diff != "" || beyond != 4 {
		t.Errorf("beyond %d, builds (-want +got):\n%s", beyond, diff)
	}
}
