package webhook

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWorkerWithoutTypesIsLogged(t *testing.T) {
	done := HandlerFunc(func(context.Context, *Delivery) error { return nil })
	routed := new(Mux)
	routed.Route("a", done)
	around := func(ctx context.Context, next Handler, d *Delivery) error { return next.Handle(ctx, d) }
	for name, test := range map[string]struct {
		handler Handler
		logged  bool
	}{
		"an empty Mux":                      {new(Mux), true},
		"an empty Mux, wrapped":             {Wrap(new(Mux), around), true},
		"a Mux with a route":                {routed, false},
		"a Mux that ignores the rest":       {&Mux{IgnoreUnhandled: true}, false},
		"a Mux with a Default":              {&Mux{Default: done}, false},
		"a Handler that takes all there is": {done, false},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			warnIfIdle(slog.New(slog.NewTextHandler(&log, nil)), typesOf(test.handler))
			require.Equal(t, test.logged, strings.Contains(log.String(), "worker claims nothing: its handler has no type registered"), log.String())
		})
	}
}
