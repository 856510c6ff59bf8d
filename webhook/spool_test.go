package webhook_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestNewSpoolPanicsOnMisuse(t *testing.T) {
	in := &webhook.MemInbox{}
	require.Panics(t, func() { webhook.NewSpool(nil, in) })
	require.Panics(t, func() { webhook.NewSpool(in, nil) })
	require.PanicsWithValue(t, "webhook: the local inbox of a Spool must be a PendingCounter, and webhook_test.plainInbox is none",
		func() { webhook.NewSpool(in, plainInbox{in}) })
}

func TestSpoolStoresWhatPrimaryDoesNotTake(t *testing.T) {
	for _, trouble := range []struct {
		name  string
		fault fault
		took  time.Duration // of the first acknowledgement
	}{
		{"a primary that is well is stored into", none, 0},
		{"a primary that is down is passed by", refused, 0},
		{"a primary that is slow is given up after PrimaryTimeout", slow, 2 * time.Second},
		{"a primary that stores and cannot say so stores once", unsaid, 0},
		{"a primary that stores after it was given up stores once", orphan, 2 * time.Second},
	} {
		bubble(t, trouble.name, func(t *testing.T) {
			r := newSpoolRig()
			defer r.run(t)()
			r.set(trouble.fault)
			require.Equal(t, trouble.took, r.take(t, "1"))
			require.Zero(t, r.take(t, "2"), "nobody waits for a primary that is known to be away")
			r.set(none)
			pass(2 * time.Minute)
			require.Equal(t, []string{"1", "2"}, inOrder(t, r.primary.inbox))
			require.Zero(t, pendingIn(t, r.local.inbox))
			before := r.local.asked()
			r.take(t, "3")
			require.Equal(t, before, r.local.asked(), "the way to primary is open again")
		})
	}
	bubble(t, "a primary that is only slow catches up", func(t *testing.T) {
		r := newSpoolRig()
		r.primary.delay = func() time.Duration { return 3 * time.Second }
		defer r.run(t)()
		r.set(slow)
		r.take(t, "1")
		pass(10 * time.Second)
		require.Equal(t, []string{"1"}, inOrder(t, r.primary.inbox))
	})
	bubble(t, "a context that ends soon leaves local half of its time", func(t *testing.T) {
		r := newSpoolRig()
		defer r.run(t)()
		r.set(slow)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		require.NoError(t, r.Handle(ctx, &webhook.Delivery{UID: "1"}))
		require.Equal(t, time.Second/2, time.Since(start))
	})
	bubble(t, "a sender that leaves is not stored for", func(t *testing.T) {
		r := newSpoolRig()
		defer r.run(t)()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, r.Handle(ctx, &webhook.Delivery{UID: "1"}), webhook.ErrNotStored)
		require.Empty(t, r.local.asked())
	})
}

func TestSpoolThatNobodyTakesIsNotAcknowledged(t *testing.T) {
	bubble(t, "local is full", func(t *testing.T) {
		r := newSpoolRig()
		r.local.inbox.MaxDeliveries = 1
		r.take(t, "1")
		err := r.Handle(t.Context(), &webhook.Delivery{UID: "2"})
		require.ErrorIs(t, err, webhook.ErrNotStored)
		require.ErrorIs(t, err, webhook.ErrOverloaded)
		require.Equal(t, http.StatusServiceUnavailable, webhook.StatusCode(err))
	})
	bubble(t, "both are away: the error tells of both", func(t *testing.T) {
		r := newSpoolRig()
		defer r.run(t)()
		r.set(refused)
		r.setLocal(orphan, "Put")
		start := time.Now()
		err := r.Handle(t.Context(), &webhook.Delivery{UID: "1"})
		require.ErrorIs(t, err, webhook.ErrNotStored)
		require.ErrorContains(t, err, errBoom.Error())
		require.Equal(t, 8*time.Second, time.Since(start))
	})
}

func TestSpoolLooksBeforeItGoesToPrimary(t *testing.T) {
	bubble(t, "until Run has looked all goes to local", func(t *testing.T) {
		r := newSpoolRig()
		r.take(t, "1")
		require.Empty(t, r.primary.asked())
		defer r.run(t)()
		require.Equal(t, []string{"1"}, inOrder(t, r.primary.inbox))
	})
	bubble(t, "what a killed process was forwarding goes first", func(t *testing.T) {
		r := newSpoolRig()
		arrive(t, r.local.inbox, "1", keyed("key"))
		_, err := r.local.inbox.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Minute})
		require.NoError(t, err)
		defer r.run(t)()
		r.take(t, "2")
		pass(30 * time.Second)
		require.Empty(t, inOrder(t, r.primary.inbox))
		pass(time.Minute)
		require.Equal(t, []string{"1", "2"}, inOrder(t, r.primary.inbox))
	})
	bubble(t, "a local inbox that cannot be looked at is not taken for empty", func(t *testing.T) {
		r := newSpoolRig()
		r.setLocal(refused, "Put", "Pending")
		defer r.run(t)()
		require.Error(t, r.Handle(t.Context(), &webhook.Delivery{UID: "1"}))
		require.Empty(t, r.primary.asked())
		r.setLocal(none)
		pass(10 * time.Second)
		r.take(t, "2")
		require.Equal(t, []string{"2"}, r.primary.asked())
	})
}

func TestSpoolALookIsNoProofAgainstWhatArrivesMeanwhile(t *testing.T) {
	// Primary takes nothing, so that what is in local stays there, and a delivery
	// that is sent to primary directly is seen by the attempt.
	bubble(t, "a put that begins during the look", func(t *testing.T) {
		r := newSpoolRig()
		r.set(refused)
		r.setLocal(late, "Pending")
		r.local.delay = func() time.Duration { return 1500 * time.Millisecond }
		defer r.run(t)() // looks from now until half a second from here
		r.take(t, "1")
		pass(900 * time.Millisecond)
		r.take(t, "2")
		require.NotContains(t, r.primary.asked(), "2")
	})
	bubble(t, "a put that was under way when the look began", func(t *testing.T) {
		r := newSpoolRig()
		r.set(refused)
		r.setLocal(slow, "Put")
		r.local.delay = func() time.Duration { return 1500 * time.Millisecond }
		var first sync.WaitGroup
		first.Go(func() { r.take(t, "1") })
		synctest.Wait()
		defer r.run(t)() // looks five times
		first.Wait()
		r.setLocal(none)
		r.take(t, "2")
		require.NotContains(t, r.primary.asked(), "2")
	})
}
