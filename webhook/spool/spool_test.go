package spool_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/internal/panictest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

func TestNewPanicsOnMisuse(t *testing.T) {
	in := &webhook.MemInbox{}
	panictest.Require(t, "spool: New needs a primary handler", func() { spool.New(nil, in) })
	panictest.Require(t, "spool: New needs a local inbox", func() { spool.New(webhook.Store(in), nil) })
	panictest.Require(t, "spool: the local inbox must be a webhook.PendingCounter, and spool_test.plainInbox is not",
		func() { spool.New(webhook.Store(in), plainInbox{in}) })
}

func TestSpoolStoresADeliveryThatPrimaryDoesNotStore(t *testing.T) {
	for _, trouble := range []struct {
		name  string
		fault fault
		took  time.Duration // of the first acknowledgement
	}{
		{"primary works", none, 0},
		{"primary is down", refused, 0},
		{"primary is slow: local is used after PrimaryTimeout", slow, 2 * time.Second},
		{"the reply of primary is lost: the delivery is stored once", replyLost, 0},
		{"primary stores after PrimaryTimeout: the delivery is stored once", storedLate, 2 * time.Second},
	} {
		synctestRun(t, trouble.name, func(t *testing.T) {
			r := newRig()
			defer r.run(t)()
			r.set(trouble.fault)
			if got := r.handle(t, "1"); got != trouble.took {
				t.Fatalf(`r.handle("1") = %v, want %v`, got, trouble.took)
			}
			if got := r.handle(t, "2"); got != 0 {
				t.Fatalf(`after a failure local is used at once: r.handle("2") = %v, want 0`, got)
			}
			r.set(none)
			advance(2 * time.Minute)
			if diff := cmp.Diff([]string{"1", "2"}, inOrder(t, r.primary.inbox)); diff != "" {
				t.Fatalf("inOrder(r.primary.inbox) (-want +got):\n%s", diff)
			}
			if got := pendingIn(t, r.local.inbox); got != 0 {
				t.Fatalf("pendingIn(r.local.inbox) = %d, want 0", got)
			}
			before := r.local.putUIDs()
			r.handle(t, "3")
			if diff := cmp.Diff(before, r.local.putUIDs()); diff != "" {
				t.Fatalf("deliveries go to primary again: r.local.putUIDs() (-want +got):\n%s", diff)
			}
		})
	}
	synctestRun(t, "a slow primary gets the delivery from local", func(t *testing.T) {
		r := newRig()
		r.primary.delay = func() time.Duration { return 3 * time.Second }
		defer r.run(t)()
		r.set(slow)
		r.handle(t, "1")
		advance(10 * time.Second)
		if diff := cmp.Diff([]string{"1"}, inOrder(t, r.primary.inbox)); diff != "" {
			t.Fatalf("inOrder(r.primary.inbox) (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "local has half of the time until the deadline of the context", func(t *testing.T) {
		r := newRig()
		defer r.run(t)()
		r.set(slow)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := r.Handle(ctx, &webhook.Delivery{UID: "1"}); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(start); got != time.Second/2 {
			t.Fatalf("time.Since(start) = %v, want %v", got, time.Second/2)
		}
	})
	synctestRun(t, "nothing is stored if the context is canceled", func(t *testing.T) {
		r := newRig()
		defer r.run(t)()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Handle(ctx, &webhook.Delivery{UID: "1"}); !errors.Is(err, webhook.ErrNotStored) {
			t.Fatalf(`r.Handle(ctx, &webhook.Delivery{UID: "1"}) = %v, want %v`, err, webhook.ErrNotStored)
		}
		if got := r.local.putUIDs(); len(got) != 0 {
			t.Fatalf("r.local.putUIDs() = %v, want empty", got)
		}
	})
}

func TestSpoolReturnsErrNotStoredIfNeitherInboxStores(t *testing.T) {
	synctestRun(t, "local is full", func(t *testing.T) {
		r := newRig()
		r.local.inbox.MaxDeliveries = 1
		r.handle(t, "1")
		err := r.Handle(t.Context(), &webhook.Delivery{UID: "2"})
		if !errors.Is(err, webhook.ErrNotStored) {
			t.Fatalf("error = %v, want %v", err, webhook.ErrNotStored)
		}
		if !errors.Is(err, webhook.ErrOverloaded) {
			t.Fatalf("error = %v, want %v", err, webhook.ErrOverloaded)
		}
		if got := webhook.StatusCode(err); got != http.StatusServiceUnavailable {
			t.Fatalf("webhook.StatusCode(err) = %d, want %d", got, http.StatusServiceUnavailable)
		}
	})
	synctestRun(t, "both fail: the error contains both errors", func(t *testing.T) {
		r := newRig()
		defer r.run(t)()
		r.set(refused)
		r.setLocal(storedLate, "Put")
		start := time.Now()
		err := r.Handle(t.Context(), &webhook.Delivery{UID: "1"})
		if !errors.Is(err, webhook.ErrNotStored) {
			t.Fatalf("error = %v, want %v", err, webhook.ErrNotStored)
		}
		if err == nil || !strings.Contains(err.Error(), errBoom.Error()) {
			t.Fatalf("error = %v, want it to contain %q", err, errBoom.Error())
		}
		if got := time.Since(start); got != 8*time.Second {
			t.Fatalf("time.Since(start) = %v, want %v", got, 8*time.Second)
		}
	})
}

func TestSpoolChecksLocalBeforeItUsesPrimary(t *testing.T) {
	synctestRun(t, "until Run has checked, every delivery goes to local", func(t *testing.T) {
		r := newRig()
		r.handle(t, "1")
		if got := r.primary.putUIDs(); len(got) != 0 {
			t.Fatalf("r.primary.putUIDs() = %v, want empty", got)
		}
		defer r.run(t)()
		if diff := cmp.Diff([]string{"1"}, inOrder(t, r.primary.inbox)); diff != "" {
			t.Fatalf("inOrder(r.primary.inbox) (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "a delivery that a killed process was forwarding is forwarded first", func(t *testing.T) {
		r := newRig()
		putDelivery(t, r.local.inbox, "1", keyed("key"))
		_, err := r.local.inbox.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		defer r.run(t)()
		r.handle(t, "2")
		advance(30 * time.Second)
		if got := inOrder(t, r.primary.inbox); len(got) != 0 {
			t.Fatalf("inOrder(r.primary.inbox) = %v, want empty", got)
		}
		advance(time.Minute)
		if diff := cmp.Diff([]string{"1", "2"}, inOrder(t, r.primary.inbox)); diff != "" {
			t.Fatalf("inOrder(r.primary.inbox) (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "a local inbox that cannot be checked does not count as empty", func(t *testing.T) {
		r := newRig()
		r.setLocal(refused, "Put", "Pending")
		defer r.run(t)()
		if err := r.Handle(t.Context(), &webhook.Delivery{UID: "1"}); err == nil {
			t.Fatal(`r.Handle(&webhook.Delivery{UID: "1"}) is nil, want an error`)
		}
		if got := r.primary.putUIDs(); len(got) != 0 {
			t.Fatalf("r.primary.putUIDs() = %v, want empty", got)
		}
		r.setLocal(none)
		advance(10 * time.Second)
		r.handle(t, "2")
		if diff := cmp.Diff([]string{"2"}, r.primary.putUIDs()); diff != "" {
			t.Fatalf("r.primary.putUIDs() (-want +got):\n%s", diff)
		}
	})
}

func TestSpoolStaysLocalIfAPutOverlapsTheCheck(t *testing.T) {
	// Primary fails, so that the deliveries in local stay there, and a delivery that
	// goes to primary directly is in the UIDs of its Puts.
	synctestRun(t, "a Put that begins during the check", func(t *testing.T) {
		r := newRig()
		r.set(refused)
		r.setLocal(replyLate, "Pending")
		r.local.delay = func() time.Duration { return 1500 * time.Millisecond }
		defer r.run(t)() // the check begins now and ends half a second after run returns
		r.handle(t, "1")
		advance(900 * time.Millisecond)
		r.handle(t, "2")
		if got := r.primary.putUIDs(); slices.Contains(got, "2") {
			t.Fatalf("r.primary.putUIDs() = %v, want it not to contain \"2\"", got)
		}
	})
	synctestRun(t, "a Put that began before the check and is still running", func(t *testing.T) {
		r := newRig()
		r.set(refused)
		r.setLocal(slow, "Put")
		r.local.delay = func() time.Duration { return 1500 * time.Millisecond }
		var first sync.WaitGroup
		first.Go(func() { r.handle(t, "1") })
		synctest.Wait()
		defer r.run(t)() // makes five checks
		first.Wait()
		r.setLocal(none)
		r.handle(t, "2")
		if got := r.primary.putUIDs(); slices.Contains(got, "2") {
			t.Fatalf("r.primary.putUIDs() = %v, want it not to contain \"2\"", got)
		}
	})
}
