package webhook_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
)

const unattended = "nobody forwards them: call Spool.Run"

func TestASpoolWithoutRunWarns(t *testing.T) {
	newLogged := func() (*spoolRig, *recvLog) {
		r := newSpoolRig()
		var log *recvLog
		r.Logger, log = recvLogger()
		return r, log
	}
	bubble(t, "seconds after the first delivery, though no other comes", func(t *testing.T) {
		r, log := newLogged()
		r.take(t, "1")
		r.take(t, "2")
		pass(4 * time.Second)
		require.Empty(t, log.lines(t), "Run may begin a moment later")
		pass(2 * time.Second)
		lines := warned(t, log, unattended)
		require.Len(t, lines, 1)
		require.EqualValues(t, 2, lines[0]["stored"])
		pass(time.Hour)
		require.Len(t, log.lines(t), 1, "what was told is not told again")
	})
	bubble(t, "once a minute while deliveries come", func(t *testing.T) {
		r, log := newLogged()
		for i := range 600 {
			r.take(t, fmt.Sprint(i))
			pass(time.Second)
		}
		require.Len(t, warned(t, log, unattended), 10)
	})
	bubble(t, "not where Run begins in time, and not while it runs", func(t *testing.T) {
		r, log := newLogged()
		r.take(t, "1")
		pass(time.Second)
		stop := r.run(t)
		r.set(refused)
		for i := range 100 {
			r.take(t, fmt.Sprint("a", i))
			pass(time.Second)
		}
		require.Empty(t, warned(t, log, unattended))
		stop()
		require.Empty(t, warned(t, log, unattended))
		r.take(t, "b")
		pass(10 * time.Second)
		require.Len(t, warned(t, log, unattended), 1, "after its end it does")
	})
	bubble(t, "not of what was not stored", func(t *testing.T) {
		r, log := newLogged()
		r.setLocal(refused, "Put")
		require.Error(t, r.Handle(t.Context(), &webhook.Delivery{UID: "1"}))
		pass(time.Minute)
		require.Empty(t, log.lines(t))
	})
}

func TestSpoolARefusalForGoodIsTheDeliverysOwn(t *testing.T) {
	for name, refusal := range map[string]error{"permanent": webhook.Permanent(errBoom), "malformed": webhook.ErrMalformed} {
		bubble(t, name, func(t *testing.T) {
			primary, local := &pickyInbox{&webhook.MemInbox{}, "1", refusal}, &webhook.MemInbox{}
			r := &spoolRig{Spool: webhook.NewSpool(primary, local)}
			r.Logger = slog.New(slog.DiscardHandler)
			defer r.run(t)()
			err := r.Handle(t.Context(), &webhook.Delivery{UID: "1", Source: "alpha", Type: "alpha.event", OrderingKey: "key"})
			require.ErrorIs(t, err, webhook.ErrNotStored, "the sender is not told that it was stored")
			require.ErrorIs(t, err, refusal)
			r.take(t, "2")
			require.Equal(t, []string{"2"}, inOrder(t, primary), "the others go to primary, at once")
			require.Empty(t, local.Stats())
		})
	}
}
