package dbtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestSkipStaleIgnoresDeliveriesOlderThanADoneOne(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		older := delivery("main")
		older.ReceivedAt = older.ReceivedAt.Add(time.Hour) // by a clock that was ahead
		put(t, in, older)
		settle(t, in, claimOne(t, in), webhook.Dead)
		newer := put(t, in, delivery("main"))
		settle(t, in, claimOne(t, in), webhook.Done)
		newest := put(t, in, delivery("main"))
		if _, err := in.Replay(t.Context(), webhook.Filter{UID: older.UID}, webhook.Note{By: "ann"}); err != nil {
			t.Fatal(err) // its place is the last one now
		}
		var handled []string
		h := in.SkipStale(typeRecorder{&handled})
		for _, d := range []*webhook.Delivery{older, newer, newest, delivery("main"), put(t, in, delivery(""))} {
			err := h.Handle(t.Context(), d)
			if stale := d == older; stale != errors.Is(err, webhook.ErrIgnored) || !stale && err != nil {
				t.Errorf("%s: %v", d.UID, err)
			}
		}
		if len(handled) != 4 {
			t.Errorf("handled %v", handled)
		}
		if diff := cmp.Diff([]string{"alpha.push"}, h.(webhook.Router).Types()); diff != "" {
			t.Error(diff)
		}
	})
}

type typeRecorder struct{ handled *[]string }

func (r typeRecorder) Types() []string { return []string{"alpha.push"} }

func (r typeRecorder) Handle(_ context.Context, d *webhook.Delivery) error {
	*r.handled = append(*r.handled, d.UID)
	return nil
}
