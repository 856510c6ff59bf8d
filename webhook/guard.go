package webhook

import (
	"context"
	"time"
)

// A guarded is an Inbox as a Worker asks it: its panics are errors, and its
// errors are judged.
type guarded struct{ Inbox }

func (g guarded) Claim(ctx context.Context, o ClaimOptions) (claims []Claim, err error) {
	defer contained(&err)
	claims, err = g.Inbox.Claim(ctx, o)
	return claims, judge(err)
}

func (g guarded) Begin(ctx context.Context, c Claim) (begun Claim, err error) {
	defer contained(&err)
	begun, err = g.Inbox.Begin(ctx, c)
	return begun, judge(err)
}

func (g guarded) Extend(ctx context.Context, c Claim, lease time.Duration) (err error) {
	defer contained(&err)
	return judge(g.Inbox.Extend(ctx, c, lease))
}

func (g guarded) Settle(ctx context.Context, c Claim, o Outcome) (came State, err error) {
	defer contained(&err)
	came, err = g.Inbox.Settle(ctx, c, o)
	return came, judge(err)
}

// changed returns the inbox's signal, or nil, which never comes.
func (g guarded) changed() <-chan struct{} {
	if n, ok := g.Inbox.(Notifier); ok {
		return n.Changed()
	}
	return nil
}

// sweep asks a [Sweeper]; of another inbox it deletes nothing.
func (g guarded) sweep(ctx context.Context) (n int, err error) {
	defer contained(&err)
	if s, ok := g.Inbox.(Sweeper); ok {
		n, err = s.Sweep(ctx)
	}
	return n, judge(err)
}

// ping asks an inbox that can be asked whether it would take a delivery.
func (g guarded) ping(ctx context.Context) (err error) {
	defer contained(&err)
	if p, ok := g.Inbox.(interface{ Ping(context.Context) error }); ok {
		return judge(p.Ping(ctx))
	}
	return nil
}

// untaken asks an inbox that knows for the types that nobody takes.
func (g guarded) untaken(ctx context.Context) (types []string, err error) {
	defer contained(&err)
	if u, ok := g.Inbox.(interface {
		Untaken(context.Context) ([]string, error)
	}); ok {
		types, err = u.Untaken(ctx)
	}
	return types, judge(err)
}
