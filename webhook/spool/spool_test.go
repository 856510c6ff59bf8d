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

func TestSpoolStoresWhatPrimaryDoesNotTake(t *testing.T) {
	for _, trouble := range []struct {
		name  string
		fault fault
		took  time.Duration // of the first acknowledgement
	}{
		{"a primary that works gets the delivery", none, 0},
		{"a primary that is down is skipped", refused, 0},
		{"a primary that is slow is given up after PrimaryTimeout", slow, 2 * time.Second},
		{"a primary that stores and whose reply is lost stores once", replyLost, 0},
		{"a primary that stores after it was given up stores once", storedLate, 2 * time.Second},
	} {
		synctestRun(t, trouble.name, func(t *testing.T) {
			r := newRig()
			defer r.run(t)()
			r.set(trouble.fault)
			require.Equal(t, trouble.took, r.take(t, "1"))
			require.Zero(t, r.take(t, "2"), "no sender waits for a primary that is known to be away")
			r.set(none)
			advance(2 * time.Minute)
			require.Equal(t, []string{"1", "2"}, inOrder(t, r.primary.inbox))
			require.Zero(t, pendingIn(t, r.local.inbox))
			before := r.local.asked()
			r.take(t, "3")
			require.Equal(t, before, r.local.asked(), "deliveries go to primary again")
		})
	}
	synctestRun(t, "a primary that is only slow catches up", func(t *testing.T) {
		r := newRig()
		r.primary.delay = func() time.Duration { return 3 * time.Second }
		defer r.run(t)()
		r.set(slow)
		r.take(t, "1")
		advance(10 * time.Second)
		require.Equal(t, []string{"1"}, inOrder(t, r.primary.inbox))
	})
	synctestRun(t, "a context that ends soon leaves local half of its time", func(t *testing.T) {
		r := newRig()
		defer r.run(t)()
		r.set(slow)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		require.NoError(t, r.Handle(ctx, &webhook.Delivery{UID: "1"}))
		require.Equal(t, time.Second/2, time.Since(start))
	})
	synctestRun(t, "a sender that leaves: nothing is stored", func(t *testing.T) {
		r := newRig()
		defer r.run(t)()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, r.Handle(ctx, &webhook.Delivery{UID: "1"}), webhook.ErrNotStored)
		require.Empty(t, r.local.asked())
	})
}

func TestSpoolDoesNotAcknowledgeWhatIsNotStored(t *testing.T) {
	synctestRun(t, "local is full", func(t *testing.T) {
		r := newRig()
		r.local.inbox.MaxDeliveries = 1
		r.take(t, "1")
		err := r.Handle(t.Context(), &webhook.Delivery{UID: "2"})
		require.ErrorIs(t, err, webhook.ErrNotStored)
		require.ErrorIs(t, err, webhook.ErrOverloaded)
		require.Equal(t, http.StatusServiceUnavailable, webhook.StatusCode(err))
	})
	synctestRun(t, "both are away: the error names both", func(t *testing.T) {
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

func TestSpoolChecksLocalBeforeItGoesToPrimary(t *testing.T) {
	synctestRun(t, "until Run has checked, every delivery goes to local", func(t *testing.T) {
		r := newRig()
		r.take(t, "1")
		require.Empty(t, r.primary.asked())
		defer r.run(t)()
		require.Equal(t, []string{"1"}, inOrder(t, r.primary.inbox))
	})
	synctestRun(t, "what a killed process was forwarding goes first", func(t *testing.T) {
		r := newRig()
		putDelivery(t, r.local.inbox, "1", keyed("key"))
		_, err := r.local.inbox.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Minute})
		require.NoError(t, err)
		defer r.run(t)()
		r.take(t, "2")
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
		require.Empty(t, r.primary.asked())
		r.setLocal(none)
		advance(10 * time.Second)
		r.take(t, "2")
		require.Equal(t, []string{"2"}, r.primary.asked())
	})
}

func TestSpoolStaysLocalIfAPutOverlapsTheCheck(t *testing.T) {
	// Primary takes nothing, so that what is in local stays there, and a delivery
	// that is sent to primary directly is seen by the attempt.
	synctestRun(t, "a put that begins during the check", func(t *testing.T) {
		r := newRig()
		r.set(refused)
		r.setLocal(replyLate, "Pending")
		r.local.delay = func() time.Duration { return 1500 * time.Millisecond }
		defer r.run(t)() // checks from now until half a second from here
		r.take(t, "1")
		advance(900 * time.Millisecond)
		r.take(t, "2")
		require.NotContains(t, r.primary.asked(), "2")
	})
	synctestRun(t, "a put that was under way when the check began", func(t *testing.T) {
		r := newRig()
		r.set(refused)
		r.setLocal(slow, "Put")
		r.local.delay = func() time.Duration { return 1500 * time.Millisecond }
		var first sync.WaitGroup
		first.Go(func() { r.take(t, "1") })
		synctest.Wait()
		defer r.run(t)() // checks five times
		first.Wait()
		r.setLocal(none)
		r.take(t, "2")
		require.NotContains(t, r.primary.asked(), "2")
	})
}
