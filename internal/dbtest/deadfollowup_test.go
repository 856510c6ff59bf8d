package dbtest

import (
	"bytes"
	"context"
	"database/sql"
	"log/slog"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// A cause puts a delivery that follows from it, which is dead. The cause is done, and
// the reason says what to replay, whichever way it put the other.
func TestADoneCauseNamesItsDeadFollowUp(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		for name, inTx := range map[string]bool{"by its error": false, "by InTx": true} {
			t.Run(name, func(t *testing.T) {
				in, _ := e.open(t)
				var log bytes.Buffer
				in.Logger = slog.New(slog.NewTextHandler(&log, nil))
				follower := put(t, in, delivery(""))
				settle(t, in, claimOne(t, in), webhook.Dead)
				cause := put(t, in, delivery("key"))
				states := runWorker(t, in, 1, func(ctx context.Context, _ *webhook.Delivery) error {
					if !inTx {
						return in.Put(ctx, follower)
					}
					return in.InTx(ctx, func(tx *sql.Tx) error { return in.PutTx(ctx, tx, follower) })
				})
				if len(states) != 1 || states[0] != webhook.Done {
					t.Errorf("settled as %v, want done", states)
				}
				want := "what it put is a duplicate of " + follower.UID + ", which is dead: replay that one"
				if r, err := in.Get(t.Context(), cause.UID); r.State != webhook.Done || r.Reason != want || err != nil {
					t.Errorf("stored: %s, %q, %v; want done, %q", r.State, r.Reason, err, want)
				}
				if n := strings.Count(log.String(), "level=WARN"); inTx && (n != 1 || !strings.Contains(log.String(), want)) {
					t.Errorf("%d warnings, want one with the reason:\n%s", n, log.String())
				}
				n, err := in.Replay(t.Context(), webhook.Filter{UID: follower.UID}, webhook.Note{By: "ann"})
				if n != 1 || err != nil {
					t.Errorf("Replay: %d, %v", n, err)
				}
			})
		}
	})
}
