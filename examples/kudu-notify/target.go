package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// sendTimeout is the timeout of one attempt to send a notice.
const sendTimeout = 30 * time.Second

// A target receives notices. It should show a notice once if it gets the same id
// twice: an attempt may succeed although its response is lost.
type target interface {
	// name identifies the target. It is unique within the kind.
	name() string
	// kind is one of kinds.
	kind() string
	// send sends a notice. If it returns an error, the notice is retried, unless the
	// error is webhook.Permanent: then the target would always reject this notice.
	send(ctx context.Context, id string, n notice) error
}

// kinds lists all kinds of targets.
var kinds = []string{"slack", "mail", "url"}

// noticeType returns the type of the deliveries for targets of a kind.
func noticeType(kind string) string { return "notify." + kind }

// A notification is a notice and the name of its target, as stored in the inbox.
type notification struct {
	Target string `json:"target"`
	Notice notice `json:"notice"`
}

// A sender sends the stored notifications.
type sender struct {
	store        *store
	targets      []target
	blockTimeout time.Duration // how long a failing notice blocks later ones
	retry        webhook.Backoff
}

// worker returns a worker for all notifications of a kind, including those for
// targets that are no longer configured. Each kind has its own worker, so requests
// that hang do not delay other kinds.
func (s *sender) worker(kind string) *webhook.Worker {
	var mux webhook.Mux
	mux.Route(noticeType(kind), webhook.Timeout(sendTimeout, webhook.HandlerFunc(s.send)))
	w := webhook.NewWorker(s.store, &mux)
	w.RetryOutOfOrder = true
	return w
}

// send sends one notification.
func (s *sender) send(ctx context.Context, d *webhook.Delivery) error {
	var n notification
	if err := json.Unmarshal(d.Body, &n); err != nil {
		return fmt.Errorf("%w: %w", webhook.ErrMalformed, err)
	}
	for _, to := range s.targets {
		if to.name() != n.Target {
			continue
		}
		if err := s.checkOlder(ctx, d); err != nil {
			return err
		}
		late, err := s.store.Stale(ctx, d)
		if err != nil {
			return err
		}
		n.Notice.Late = late
		return to.send(ctx, d.UID, n.Notice)
	}
	return fmt.Errorf("%w: target %q is no longer configured", webhook.ErrIgnored, n.Target)
}

// errBlocked ends an attempt before the notice is sent.
var errBlocked = errors.New("blocked by an older notice")

// checkOlder keeps the notices of a site in order at a target. While an older
// notice fails it returns an error, so that this one is retried later: a target
// that is down would reject both, and nobody should read of a recovery before its
// failure. After blockTimeout later notices overtake the older one, because the cause may
// be that notice alone. The worker sets RetryOutOfOrder, so it runs later notices
// while an older one waits for its retry; checkOlder decides whether they are sent.
func (s *sender) checkOlder(ctx context.Context, d *webhook.Delivery) error {
	unfinished := webhook.Filter{
		Source: d.Source, OrderingKey: d.OrderingKey, States: []webhook.State{webhook.Waiting, webhook.Blocked, webhook.Claimed},
	}
	older := false
	for r, err := range s.store.All(ctx, unfinished) { // newest first
		switch {
		case err != nil:
			return err
		case r.Delivery.UID == d.UID:
			older = true
		case older:
			if left := s.blockTimeout - time.Since(r.Delivery.ReceivedAt); left > 0 {
				claim, _ := webhook.ClaimFromContext(ctx)
				return webhook.RetryAfter(s.blockDelay(left, claim.Attempt), errBlocked)
			}
		}
	}
	return nil
}

// blockDelay returns how long a blocked notice waits. It is at most left, the rest
// of blockTimeout, and short enough that the notice follows soon after the older
// one is sent. Each wait uses up an attempt; a block of one hour, the maximum, uses
// about thirty.
func (s *sender) blockDelay(left time.Duration, attempt int) time.Duration {
	return min(left, s.retry.Delay(attempt), s.blockTimeout/20)
}
