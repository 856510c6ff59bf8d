package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// sendTimeout is the timeout of one attempt to send a notice, and of one step of a mail.
const sendTimeout = 30 * time.Second

// A target receives notices. It should show a notice once if it gets the same id
// twice: an attempt may succeed although its response is lost.
type target interface {
	// name identifies the target. It is unique within the kind.
	name() string
	// kind is one of kinds.
	kind() string
	// send sends a notice. The mark is set while it is unknown whether the notice
	// arrived, by a target that cannot recognize a second one. If it returns an error, the notice is retried, unless the
	// error is webhook.Permanent: then the target would always reject this notice.
	send(ctx context.Context, id string, n notice, once *mark) error
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
}

// worker returns a worker for all notifications of a kind, including those for
// targets that are no longer configured. Each kind has its own worker, so requests
// that hang do not delay other kinds. The notices of a site are sent to a target in
// order: a target that is down would reject all of them, and nobody should read of a
// recovery before its failure. After blockTimeout later ones overtake one that fails,
// because the cause may be that notice alone.
func (s *sender) worker(kind string) *webhook.Worker {
	var mux webhook.Mux
	var send webhook.Handler = webhook.HandlerFunc(s.send)
	if kind != "mail" { // its steps have their own timeouts
		send = webhook.Timeout(sendTimeout, send)
	}
	mux.Route(noticeType(kind), send)
	return webhook.NewWorker(overtaking{s.store, s.blockTimeout}, &mux)
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
		late, err := s.store.Stale(ctx, d)
		if err != nil {
			return err
		}
		n.Notice.Late = n.Notice.Late || late
		once, err := newMark(ctx, s.store, d.UID)
		if err != nil {
			return err
		}
		return to.send(ctx, d.UID, n.Notice, once)
	}
	return fmt.Errorf("%w: target %q is no longer configured", webhook.ErrIgnored, n.Target)
}
