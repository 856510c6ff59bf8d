package dbtest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A callName is the key of a value that the test passes through a context.
type callName struct{}

func TestTheObserverGetsTheContextOfTheCall(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		calls := map[string]any{}
		in.Observer = sqlinbox.MultiObserver(nil, &sqlinbox.Observer{
			Stored: func(ctx context.Context, _ *webhook.Delivery, _ time.Duration) {
				calls["stored"] = ctx.Value(callName{})
			},
			Duplicate: func(ctx context.Context, _ *webhook.Delivery, _ *webhook.DuplicateError) {
				calls["duplicate"] = ctx.Value(callName{})
			},
			Superseded: func(ctx context.Context, _ string, _ *webhook.Delivery) {
				calls["superseded"] = ctx.Value(callName{})
			},
			Refused: func(ctx context.Context, _ *webhook.Delivery, _ error) {
				calls["refused"] = ctx.Value(callName{})
			},
			Swept: func(ctx context.Context, _ int) { calls["swept"] = ctx.Value(callName{}) },
			Repaired: func(ctx context.Context, _, _ string) {
				calls["repaired"] = ctx.Value(callName{})
			},
		})
		named := func(name string) context.Context { return context.WithValue(t.Context(), callName{}, name) }
		burst := func() *webhook.Delivery {
			d := delivery("burst")
			d.Coalesce.Quiet = time.Hour
			return d
		}
		put(t, in, burst())
		_ = in.Put(named("put of a burst"), burst())
		_ = in.Put(named("put of a duplicate"), delivery("", "mark"))
		stored := calls["stored"]
		_ = in.Put(named("put of a duplicate"), delivery("", "mark"))
		_ = in.Put(named("put of nothing"), &webhook.Delivery{})
		in.Retention = time.Microsecond
		if _, err := in.Sweep(named("sweep")); err != nil {
			t.Fatal(err)
		}
		put(t, in, delivery("stuck"))
		run(t, db, "UPDATE hookhouse_deliveries SET state = 'blocked' WHERE ordering_key = 'stuck'")
		if err := in.Check(named("check")); err != nil {
			t.Fatal(err)
		}
		calls["stored"] = stored
		want := map[string]any{
			"stored": "put of a duplicate", "duplicate": "put of a duplicate", "superseded": "put of a burst",
			"refused": "put of nothing", "swept": "sweep", "repaired": "check",
		}
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Errorf("contexts (-want +got):\n%s", diff)
		}
	})
}
