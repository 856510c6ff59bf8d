package sqlinbox

import "log/slog"

// logger is Logger, or what its zero value means at this moment.
func (in *Inbox) logger() *slog.Logger {
	if in.Logger == nil {
		return slog.Default()
	}
	return in.Logger
}
