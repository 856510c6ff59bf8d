package standby

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// Neither server answers, and neither closes a connection.
func frozenServers(t *testing.T, p *pair, in *sqlinbox.Inbox) {
	thaw := p.freeze(t)
	waits := delivery()
	if err := in.Put(t.Context(), waits); !errors.Is(err, context.DeadlineExceeded) { // of its own accord
		t.Errorf("Put with a frozen standby returned %v, want the end of a time of its own", err)
	}
	thaw()
	must(t, p.primary.AwaitStandby(t.Context(), "second"))

	must(t, p.primary.Freeze())
	t.Cleanup(func() { _ = p.primary.Thaw() })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	ends := delivery()
	if err := in.Put(ctx, ends); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Put with a frozen primary returned %v, want the end of its context", err)
	}
	must(t, p.primary.Thaw())

	for _, d := range []*webhook.Delivery{waits, ends} { // as its sender sends it again
		must(t, wait.Until(t.Context(), "the pair takes deliveries again", func() bool {
			err := in.Put(t.Context(), again(d))
			return err == nil || webhook.IsDuplicate(err)
		}))
	}
}
