package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"time"
)

// Of each status, maxRefusals refusals are logged in refusalsEvery, and as many of bodies.
const (
	maxRefusals   = 10
	refusalsEvery = time.Minute
)

// allowRefusal reports whether a refusal may be logged now, and returns the number of
// those before it that were not. If it is the first that may not, the number of those
// is logged after refusalsEvery, unless another refusal has it by then. Refusals of
// bodies are counted apart: strangers can cause any number of them with 503, which is
// also the status of a failure of the program's own KeysFor or URLFunc.
func (c *call) allowRefusal(level slog.Level, message string, status int) (held int, ok bool) {
	subject := strconv.Itoa(status) + message
	if c.noBody {
		subject += " body"
	}
	held, ok = c.refusals.allow(subject, refusalsEvery)
	if !ok && held == 1 {
		in, logger := c.intake, c.logger // and not the request
		time.AfterFunc(refusalsEvery, func() {
			var panicked error // of the Logger; there is nobody to return it to
			defer recoverTo(&panicked)
			if held := in.refusals.takeHeld(subject); held > 0 {
				logger.LogAttrs(context.Background(), level, message+"; not each is logged",
					slog.String("source", in.source.Name), slog.Int("status", status), slog.Int("unlogged", held))
			}
		})
	}
	return held, ok
}

// clientAttrs returns the client's address, and that of the peer where a proxy is
// between them.
func (c *call) clientAttrs() []slog.Attr {
	peer := c.r.RemoteAddr
	if c.client == nil {
		return []slog.Attr{slog.String("client", peer)}
	}
	addr, err := c.askClient()
	if err != nil {
		return []slog.Attr{slog.String("client", "unknown: "+err.Error()), slog.String("peer", peer)}
	}
	return []slog.Attr{slog.String("client", addr.String()), slog.String("peer", peer)}
}

// askClient calls ClientIP and recovers its panic.
func (c *call) askClient() (addr netip.Addr, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("ClientIP panicked: %v", v)
		}
	}()
	addr, err = c.client(c.r)
	return addr, toSafe(err)
}
