package main

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/examples/github-ci/buildlog"
	"github.com/hookhouse/hookhouse/examples/github-ci/builds"
	"github.com/hookhouse/hookhouse/examples/github-ci/jobs"
	"github.com/hookhouse/hookhouse/examples/github-ci/status"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestNewestBuilds(t *testing.T) {
	t.Parallel()
	s, err := openStore(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	records, err := builds.New(t.Context(), s.db, s.Inbox, status.Reporter{}.Delivery)
	if err != nil {
		t.Fatal(err)
	}
	// The collation of the database determines how ids sort. In most languages
	// letters and digits sort after all other characters, as the last id does here.
	ids := []string{"0a", "0b", "f0", "\U0010ffff"}
	for _, id := range ids {
		b := builds.Build{ID: id, Repository: "acme/app", Ref: "refs/heads/" + id, Received: time.Now()}
		if err := records.Begin(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
	}
	list := func(before string, n int) (found []string) {
		all, err := records.Newest(t.Context(), builds.Selection{}, before, n)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range all {
			found = append(found, b.ID)
		}
		return found
	}
	slices.Reverse(ids)
	if diff := cmp.Diff(ids, list("", 10)); diff != "" {
		t.Fatalf("list(\"\", 10) (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(ids[:2], list("", 2)); diff != "" {
		t.Fatalf("list(\"\", 2) (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(ids[2:], list(ids[1], 2)); diff != "" {
		t.Fatalf("list(ids[1], 2) (-want +got):\n%s", diff)
	}
}

// newBuilder returns a builder that has a store but cannot build.
func newBuilder(t *testing.T) *builder {
	t.Helper()
	dir, err := jobs.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dir.Close)
	s, err := openStore(t.Context(), filepath.Join(dir.Path(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	records, err := builds.New(t.Context(), s.db, s.Inbox, status.Reporter{}.Delivery)
	if err != nil {
		t.Fatal(err)
	}
	return &builder{inbox: s.Inbox, builds: records, dir: dir, logs: buildlog.New(dir.Path(), 1<<10, nil)}
}

func TestBuildThatKillsTheProgramIsSuspect(t *testing.T) {
	t.Parallel()
	b := newBuilder(t)
	s := b.inbox
	if err := s.Put(t.Context(), webhook.NewDelivery("github", "github.push", "acme/app refs/heads/main", []byte("{}"))); err != nil {
		t.Fatal(err)
	}
	claim := func() webhook.Claim {
		for {
			claims, err := s.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if len(claims) > 0 {
				return claims[0]
			}
		}
	}
	for range 2 {
		c := claim()
		if c.Suspect {
			t.Fatal("c.Suspect is true, want false")
		}
		one := builds.Build{ID: c.Delivery.UID, Repository: "acme/app", Ref: "refs/heads/main", Received: time.Now()}
		if err := b.builds.Begin(t.Context(), &one); err != nil {
			t.Fatal(err)
		}
		if err := b.recover(t.Context()); err != nil {
			t.Fatal(err)
		} // as in the next process
	}
	if !claim().Suspect {
		t.Fatal("two runs were lost: claim().Suspect is false, want true")
	}
}

func TestInterruptedBuildWithoutDeliveryEnds(t *testing.T) {
	t.Parallel()
	b := newBuilder(t)
	one := builds.Build{ID: "orphan", Repository: "acme/app", Ref: "refs/heads/main", Received: time.Now()}
	if err := b.builds.Begin(t.Context(), &one); err != nil {
		t.Fatal(err)
	}
	if err := b.recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, ok, err := b.builds.Get(t.Context(), "orphan")
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		t.Fatal("ok = false, want true")
	}
	if got.State != builds.Error {
		t.Fatalf("got.State = %q, want %q", got.State, builds.Error)
	}
	if got.Detail != "cannot run again: its delivery was deleted" {
		t.Fatalf("got.Detail = %q, want \"cannot run again: its delivery was deleted\"", got.Detail)
	}
}
