package webhook

import (
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
)

// The hints of an intake are log lines about what works and is probably a mistake.
// Each is logged once, or at limited intervals if requests cause it.
type hints struct {
	secretsChecked atomic.Bool
	methodLogged   atomic.Bool
	untyped        logLimit
	unhandled      logLimit
}

const (
	untypedEvery   = time.Minute
	unhandledEvery = time.Hour // for each type
)

// hintSetup logs secrets that begin or end in white space, types of another source, and a
// pattern with a method. The first request is the first time that the Logger is certainly set.
func (c *call) hintSetup() {
	if !c.hints.secretsChecked.Load() && !c.hints.secretsChecked.Swap(true) {
		for _, text := range paddedSecrets(c.source.Verifier) {
			c.logger.Warn(text, "source", c.source.Name)
		}
		if foreign := c.source.foreignTypes(); len(foreign) > 0 {
			c.logger.Warn("Source.CoalesceTypes has types with the prefix of another source: unless Describe returns them, they have no effect",
				"source", c.source.Name, "types", foreign)
		}
	}
	if strings.ContainsAny(c.r.Pattern, " \t") && !c.hints.methodLogged.Swap(true) {
		c.logger.Warn("webhook is mounted with a method: mount it without one, since other methods may get a page that some senders count as delivered",
			"source", c.source.Name, "pattern", c.r.Pattern)
	}
}

// isUntyped reports whether Describe found no type.
func (c *call) isUntyped(d *Delivery) bool { return c.source.Describe != nil && d.Type == c.untyped }

// hintUntyped logs that a delivery without a known type was accepted.
func (c *call) hintUntyped(d *Delivery) {
	if held, ok := c.hints.untyped.allow("", untypedEvery); ok {
		c.logger.LogAttrs(c.r.Context(), slog.LevelWarn, "webhook has no known type",
			slog.Any("delivery", d), slog.String("reason", "the header or field that names its type is missing or has an unknown value"), slog.Int("unlogged", held))
	}
}

// hintUnhandled logs that a delivery was acknowledged and not handled.
func (c *call) hintUnhandled(d *Delivery, err error) {
	if held, ok := c.hints.unhandled.allow(d.Type, unhandledEvery); ok {
		c.logger.LogAttrs(c.r.Context(), slog.LevelWarn, "webhook was acknowledged without a handler: if that is intended, set Mux.IgnoreUnhandled",
			slog.Any("delivery", d), slog.String("reason", err.Error()), slog.Int("unlogged", held))
	}
}
