package sqlinbox

import "log/slog"

func (in *Inbox) logger() *slog.Logger { return slog.Default() }
