package webhook

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWorkerLogsAHandlerWithUnknownOrNoTypes(t *testing.T) {
	const (
		nothing = "worker claims nothing"
		all     = "worker claims every type"
	)
	done := HandlerFunc(func(context.Context, *Delivery) error { return nil })
	routed := new(Mux)
	routed.Route("a", done)
	around := func(ctx context.Context, next Handler, d *Delivery) error { return next.Handle(ctx, d) }
	for name, test := range map[string]struct {
		handler Handler
		want    []string
	}{
		"an empty Mux":                  {new(Mux), []string{nothing}},
		"an empty Mux, wrapped":         {Wrap(new(Mux), around), []string{nothing}},
		"a Mux with a route":            {routed, nil},
		"a Mux with a route, wrapped":   {Recover(Wrap(routed, around)), nil},
		"a Mux that ignores the rest":   {&Mux{IgnoreUnhandled: true}, nil},
		"a Mux with a Default":          {&Mux{Default: done}, nil},
		"a Mux with a Default, wrapped": {Wrap(&Mux{Default: done}, around), nil},
		"an inbox":                      {Store(&MemInbox{}), nil},
		"a func":                        {done, []string{all}},
		"a func, wrapped":               {Recover(Wrap(done, around)), []string{all}},
		"a func around a Mux":           {HandlerFunc(routed.Handle), []string{all}},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			w := NewWorker(&MemInbox{}, test.handler)
			w.Logger = slog.New(slog.NewTextHandler(&log, nil))
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := w.Run(ctx); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, text := range []string{nothing, all} {
				for range strings.Count(log.String(), text) {
					got = append(got, text)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("lines of the log (-want +got):\n%s\n%s", diff, log.String())
			}
		})
	}
}
