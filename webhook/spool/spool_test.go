package spool_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

func TestNewPanicsOnMisuse(t *testing.T) {
	in := &webhook.MemInbox{}
	require.PanicsWithValue(t, "spool: New needs a primary handler", func() { spool.New(nil, in) })
	require.PanicsWithValue(t, "spool: New needs a local inbox", func() { spool.New(webhook.Store(in), nil) })
	require.PanicsWithValue(t, "spool: the local inbox must be a webhook.PendingCounter, and spool_test.plainInbox is not",
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
			require.Equal(t, trouble.took, r.handle(t, "1"))
			require.Zero(t, r.handle(t, "2"), "after a failure local is used at once")
			r.set(none)
			advance(2 * time.Minute)
			require.Equal(t, []string{"1", "2"}, inOrder(t, r.primary.inbox))
			require.Zero(t, pendingIn(t, r.local.inbox))
			before := r.local.putUIDs()
			r.handle(t, "3")
			require.Equal(t, before, r.local.putUIDs(), "deliveries go to primary again")
		})
	}
	synctestRun(t, "a slow primary gets the delivery from local", func(t *testing.T) {
		r := newRig()
		r.primary.delay = func() time.Duration { return 3 * time.Second }
		defer r.run(t)()
		r.set(slow)
		r.handle(t, "1")
		advance(10 * time.Second)
		require.Equal(t, []string{"1"}, inOrder(t, r.primary.inbox))
	})
	synctestRun(t, "local has half of the time until the deadline of the context", func(t *testing.T) {
		r := newRig()
		defer r.run(t)()
		r.set(slow)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		require.NoError(t, r.Handle(ctx, &webhook.Delivery{UID: "1"}))
		require.Equal(t, time.Second/2, time.Since(start))
	})
	synctestRun(t, "nothing is stored if the context is canceled", func(t *testing.T) {
		r := newRig()
		defer r.run(t)()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, r.Handle(ctx, &webhook.Delivery{UID: "1"}), webhook.ErrNotStored)
		require.Empty(t, r.local.putUIDs())
	})
}

func TestSpoolReturnsErrNotStoredIfNeitherInboxStores(t *testing.T) {
	synctestRun(t, "local is full", func(t *testing.T) {
		r := newRig()
		r.local.inbox.MaxDeliveries = 1
		r.handle(t, "1")
		err := r.Handle(t.Context(), &webhook.Delivery{UID: "2"})
		require.ErrorIs(t, err, webhook.ErrNotStored)
		require.ErrorIs(t, err, webhook.ErrOverloaded)
		require.Equal(t, http.StatusServiceUnavailable, webhook.StatusCode(err))
	})
	synctestRun(t, "both fail: the error contains both errors", func(t *testing.T) {
		r := newRig()
		defer r.run(t)()
		r.set(refused)
		r.setLocal(storedLate, "Put")
		start := time.Now()
		err := r.Handle(t.Context(), &webhook.Delivery{UID: "1"})
		require.ErrorIs(t, err, webhook.ErrNotStored)
		require.ErrorContains(t, err, errBoom.Error())
		require.Equal(t, 8*time.Second, time.Since(start))
	})
}

func TestSpoolChecksLocalBeforeItUsesPrimary(t *testing.T) {
	synctestRun(t, "until Run has checked, every delivery goes to local", func(t *testing.T) {
		r := newRig()
		r.handle(t, "1")
		require.Empty(t, r.primary.putUIDs())
		defer r.run(t)()
		require.Equal(t, []string{"1"}, inOrder(t, r.primary.inbox))
	})
	synctestRun(t, "a delivery that a killed process was forwarding is forwarded first", func(t *testing.T) {
		r := newRig()
		putDelivery(t, r.local.inbox, "1", keyed("key"))
		_, err := r.local.inbox.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Minute})
		require.NoError(t, err)
		defer r.run(t)()
		r.handle(t, "2")
		advance(30 * time.Second)
		require.Empty(t, inOrder(t, r.primary.inbox))
		advance(time.Minute)
		require.Equal(t, []string{"1", "2"}, inOrder(t, r.primary.inbox))
	})
	synctestRun(t, "a local inbox that cannot be checked does not count as empty", func(t *testing.T) {
		r := newRig()
		r.setLocal(refused, "Put", "Pending")
		defer r.run(t)()
		require.Error(t, r.Handle(t.Context(), &webhook.Delivery{UID: "1"}))
		require.Empty(t, r.primary.putUIDs())
		r.setLocal(none)
		advance(10 * time.Second)
		r.handle(t, "2")
		require.Equal(t, []string{"2"}, r.primary.putUIDs())
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
		require.NotContains(t, r.primary.putUIDs(), "2")
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
		require.NotContains(t, r.primary.putUIDs(), "2")
	})
}
