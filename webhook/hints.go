package webhook

import (
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// The hints of a gate are lines about what works and is likely a mistake. Each
// is logged once, or now and then where calls cause it.
type hints struct {
	secrets   atomic.Bool // were looked at
	method    atomic.Bool // in the pattern was told
	untyped   logLimit
	unhandled logLimit
}

const (
	untypedEvery   = time.Minute
	unhandledEvery = time.Hour // for each type
)

// hintAtSetup logs secrets that end in white space, and a mount with a method. The first call is the first time that the logger is known for certain.
func (g *gate) hintAtSetup(r *http.Request, log *slog.Logger) {
	if !g.hints.secrets.Load() && !g.hints.secrets.Swap(true) {
		for _, text := range paddedSecrets(g.source.Verifier) {
			logger(log).Warn(text, "source", g.source.Name)
		}
	}
	if strings.ContainsAny(r.Pattern, " \t") && !g.hints.method.Swap(true) {
		logger(log).Warn("webhook is mounted with a method: mount it without one, or calls of another method get a page that some senders take for success",
			"source", g.source.Name, "pattern", r.Pattern)
	}
}

// isUntyped reports whether Describe was asked for the type and could not tell.
func (g *gate) isUntyped(d *Delivery) bool { return g.source.Describe != nil && d.Type == g.unknown }

// hintUntyped tells that a delivery without a type was taken.
func (g *gate) hintUntyped(r *http.Request, log *slog.Logger, d *Delivery) {
	if held, ok := g.hints.untyped.pass("", untypedEvery); ok {
		logger(log).LogAttrs(r.Context(), slog.LevelWarn, "webhook has no known type",
			slog.Any("delivery", d), slog.String("reason", "the header or field that names its type is missing or says nothing known"), slog.Int("unlogged", held))
	}
}

// hintUnhandled tells that a delivery was acknowledged and dropped.
func (g *gate) hintUnhandled(r *http.Request, log *slog.Logger, d *Delivery, err error) {
	if held, ok := g.hints.unhandled.pass(d.Type, unhandledEvery); ok {
		logger(log).LogAttrs(r.Context(), slog.LevelWarn, "webhook was acknowledged without a handler: where that is right set Mux.IgnoreUnhandled",
			slog.Any("delivery", d), slog.String("reason", err.Error()), slog.Int("unlogged", held))
	}
}
