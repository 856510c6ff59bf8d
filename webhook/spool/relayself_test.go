package spool_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

func TestRelayIntoItsOwnQueueLosesNothing(t *testing.T) {
	for name, run := range map[string]func(in *webhook.MemInbox, logger *slog.Logger) webhook.Runner{
		"a Relay": func(in *webhook.MemInbox, logger *slog.Logger) webhook.Runner {
			r := spool.NewRelay(in, webhook.Store(in))
			r.Logger = logger
			return r
		},
		"a Spool": func(in *webhook.MemInbox, logger *slog.Logger) webhook.Runner {
			s := spool.New(webhook.Store(in), in)
			s.Logger = logger
			return s
		},
	} {
		synctestRun(t, name, func(t *testing.T) {
			in := &webhook.MemInbox{}
			for i := range 100 {
				putDelivery(t, in, fmt.Sprintf("%03d", i), keyed(fmt.Sprint("key", i%50)))
			}
			var log strings.Builder
			stop := start(t, run(in, slog.New(slog.NewTextHandler(&log, nil))))
			advance(time.Hour)
			stop()
			if got := pendingIn(t, in); got != 100 {
				t.Errorf("%d of 100 are pending", got)
			}
			if !strings.Contains(log.String(), "passes deliveries into the queue that they come from") {
				t.Errorf("the log does not say why:\n%.500s", log.String())
			}
			if lines := strings.Count(log.String(), "\n"); lines > 1000 {
				t.Errorf("%d lines were logged in an hour", lines)
			}
			advance(time.Minute)
			if got := inOrder(t, in); len(got) != 100 {
				t.Errorf("%d of 100 can be claimed", len(got))
			}
		})
	}
}

// The answer of the first call is lost, and a Worker claims the delivery before the second.
func TestRelaySettlesADeliveryThatAWorkerOfTheTargetHasClaimed(t *testing.T) {
	for _, end := range []webhook.State{webhook.Done, webhook.Dead, webhook.Waiting} {
		synctestRun(t, "and ends as "+string(end), func(t *testing.T) {
			from, to := &webhook.MemInbox{}, &webhook.MemInbox{}
			lost := &handlerLog{handle: func(context.Context, *webhook.Delivery) error { return errBoom }}
			putDelivery(t, from, "1", keyed("key"))
			putDelivery(t, from, "2", keyed("key"))
			defer start(t, newRelay(from, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
				err := to.Put(ctx, d)
				if lostErr := lost.Handle(ctx, d); d.UID == "1" && lostErr != nil {
					return lostErr
				}
				return err
			})))()
			claims, err := to.Claim(t.Context(), webhook.ClaimOptions{Lease: 2 * time.Hour})
			for ; err == nil && len(claims) == 0; claims, err = to.Claim(t.Context(), webhook.ClaimOptions{Lease: 2 * time.Hour}) {
				advance(time.Millisecond)
			}
			if err != nil {
				t.Fatal(err)
			}
			advance(time.Hour)
			if got := pendingIn(t, from); got != 2 {
				t.Errorf("%d are pending while the first is claimed, want 2", got)
			}
			settle(t, to, claims[0], webhook.Outcome{State: end})
			advance(time.Minute)
			if diff := cmp.Diff(map[webhook.State]int{webhook.Done: 2}, counts(t, from)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
