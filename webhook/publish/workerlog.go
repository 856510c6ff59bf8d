package publish

import (
	"context"
	"log/slog"
)

// lowered has the messages of a Worker about outcomes, with their levels in the log of a
// Publisher: a failing endpoint is its owner's matter, and must not hide faults of the
// program, which are errors.
var lowered = map[string]slog.Level{
	"delivery is dead":             slog.LevelWarn,
	"delivery will be tried again": slog.LevelInfo,
}

// A workerLog is the log handler of the Worker that sends.
type workerLog struct{ slog.Handler }

// Handle writes the record, with a lower level if it is one of an endpoint.
func (l workerLog) Handle(ctx context.Context, r slog.Record) error {
	if level, ok := lowered[r.Message]; ok {
		r.Level = level
		if !l.Enabled(ctx, level) {
			return nil
		}
	}
	return l.Handler.Handle(ctx, r)
}

// WithAttrs returns a workerLog with attributes.
func (l workerLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return workerLog{l.Handler.WithAttrs(attrs)}
}

// WithGroup returns a workerLog in a group.
func (l workerLog) WithGroup(name string) slog.Handler { return workerLog{l.Handler.WithGroup(name)} }
