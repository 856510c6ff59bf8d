package webhook

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A guarded is a Queue as a Worker asks it: its panics are errors, its errors
// are judged, and its answers are checked.
type guarded struct{ Queue }

func (g guarded) Claim(ctx context.Context, o ClaimOptions) (claims []Claim, err error) {
	defer contained(&err)
	claims, err = g.Queue.Claim(ctx, o)
	claims, wrong := sound(claims, o.N)
	if err == nil {
		err = wrong
	}
	return claims, judge(err)
}

// sound returns the claims that can be worked on: at most n, each with a
// delivery, none twice. Where that is not all of them the error says why.
func sound(claims []Claim, n int) (good []Claim, err error) {
	if len(claims) > n {
		err = fmt.Errorf("webhook: the inbox returned %d claims where %d were asked for", len(claims), n)
		claims = claims[:n]
	}
	good = claims[:0]
	var seen map[string]bool
	if len(claims) > 1 {
		seen = make(map[string]bool, len(claims))
	}
	for _, c := range claims {
		switch {
		case c.Delivery == nil:
			err = errors.New("webhook: the inbox returned a claim without a delivery")
			continue
		case seen[c.Delivery.UID]:
			err = fmt.Errorf("webhook: the inbox returned two claims of %s", c.Delivery.UID)
			continue
		case seen != nil:
			seen[c.Delivery.UID] = true
		}
		good = append(good, c)
	}
	return good, err
}

func (g guarded) Begin(ctx context.Context, c Claim) (begun Claim, err error) {
	defer contained(&err)
	begun, err = g.Queue.Begin(ctx, c)
	if err == nil && (begun.Delivery == nil || begun.Delivery.UID != c.Delivery.UID) {
		err = fmt.Errorf("webhook: the inbox did not return the delivery %s, whose work begins", c.Delivery.UID)
	}
	return begun, judge(err)
}

func (g guarded) Extend(ctx context.Context, c Claim, lease time.Duration) (err error) {
	defer contained(&err)
	return judge(g.Queue.Extend(ctx, c, lease))
}

func (g guarded) Settle(ctx context.Context, c Claim, o Outcome) (came State, err error) {
	defer contained(&err)
	came, err = g.Queue.Settle(ctx, c, o)
	return came, judge(err)
}

// changed returns the inbox's signal, or nil, which never comes.
func (g guarded) changed() (signal <-chan struct{}, err error) {
	defer contained(&err)
	if n, ok := g.Queue.(Notifier); ok {
		signal = n.Changed()
	}
	return signal, nil
}

// sweep asks a [Sweeper]; of another inbox it deletes nothing.
func (g guarded) sweep(ctx context.Context) (n int, err error) {
	defer contained(&err)
	if s, ok := g.Queue.(Sweeper); ok {
		n, err = s.Sweep(ctx)
	}
	return n, judge(err)
}

// ping asks an inbox that can be asked whether it would take a delivery.
func (g guarded) ping(ctx context.Context) (err error) {
	defer contained(&err)
	if p, ok := g.Queue.(interface{ Ping(context.Context) error }); ok {
		return judge(p.Ping(ctx))
	}
	return nil
}

// unhandled asks an inbox that knows for the types that nobody takes.
func (g guarded) unhandled(ctx context.Context) (types []string, err error) {
	defer contained(&err)
	if u, ok := g.Queue.(interface {
		Unhandled(context.Context) ([]string, error)
	}); ok {
		types, err = u.Unhandled(ctx)
	}
	return types, judge(err)
}
