package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A dispatcher decides which outcomes to notify of, and stores a notice for each
// target. It remembers the previous outcome of each site and job.
type dispatcher struct {
	store   *store
	rules   map[string]bool // the kinds of notices to send: failure, recovery, success
	targets []target
	channel string // of -slack-channel, for what was missed: it came through no hook
}

// newDispatcher creates the table of the previous outcomes.
func newDispatcher(ctx context.Context, s *store, cfg *config) (*dispatcher, error) {
	_, err := s.db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS notify_outcomes (
		subject TEXT PRIMARY KEY, -- see readPrevious
		failed  BOOLEAN NOT NULL,
		mark    TEXT NOT NULL -- id and end time of the outcome
	)`)
	return &dispatcher{s, cfg.rules, cfg.targets, cfg.channel}, err
}

// dispatch processes an outcome in one transaction: it records the outcome as the
// previous one, stores the notices for the targets, and settles the delivery.
// Sending is a separate step, so a target that is down delays only its own
// notices.
func (dp *dispatcher) dispatch(ctx context.Context, d *webhook.Delivery, o outcome) error {
	if !o.final {
		return fmt.Errorf("%w: status %q is not final", webhook.ErrIgnored, o.Status)
	}
	return dp.store.InTx(ctx, func(tx *sql.Tx) error {
		notify, err := dp.classify(ctx, tx, d, &o)
		if err != nil || !notify {
			return err
		}
		return dp.enqueue(ctx, tx, d, o.notice)
	})
}

// classify sets o.What by comparing the outcome with the previous one, and reports
// whether to send notices. The inbox runs one delivery of a site or job at a time. An
// outcome that was missed, and of which a later one is known, says nothing of the state
// now: it is late, and does not become the previous one.
func (dp *dispatcher) classify(ctx context.Context, tx *sql.Tx, d *webhook.Delivery, o *outcome) (bool, error) {
	previous, err := readPrevious(ctx, tx, d.Type+" "+d.OrderingKey, o)
	if err != nil {
		return false, err
	}
	identity := fmt.Sprintf("%q %s", o.ID, o.Ended.UTC().Format(time.RFC3339Nano))
	if previous.identity == identity && previous.failed == o.failed && !o.Ended.IsZero() {
		return false, nil // a repeated event that the inbox no longer recognizes
	}
	notify := dp.rules[success]
	o.Late = d.Unsigned != "" && o.Ended.Before(previous.ended())
	switch {
	case o.Late && !o.failed:
		o.What = success
	case o.failed:
		o.What, notify = failure, dp.rules[failure]
	case previous.failed && previous.sameSite:
		o.What, notify = recovery, notify || dp.rules[recovery] // a recovery is also a success
	case previous.failed:
		o.What, notify = success, notify || dp.rules[recovery] // it may be a recovery
	default:
		o.What = success
	}
	if o.Late {
		return notify, nil
	}
	return notify, previous.replace(ctx, tx, o.failed, identity)
}

// enqueue stores a notification for each target. As deliveries of the inbox they
// have its retries and dead letters.
func (dp *dispatcher) enqueue(ctx context.Context, tx *sql.Tx, d *webhook.Delivery, n notice) error {
	n.Channel = d.Header.Get(channelHeader)
	if d.Unsigned != "" {
		n.Channel = dp.channel
	}
	for _, t := range dp.targets {
		body, err := json.Marshal(notification{t.name(), n})
		if err != nil {
			return webhook.Permanent(err)
		}
		orderingKey := t.name() + " " + d.OrderingKey // notices of a site are sent to a target in order
		delivery := webhook.NewDelivery("notify", noticeType(t.kind()), orderingKey, body)
		delivery.UID = d.UID + "-" + t.name() // a second Put of the same notice is a duplicate
		delivery.Header = http.Header{"Content-Type": {"application/json"}}
		delivery.ReceivedAt = d.ReceivedAt
		err = dp.store.PutTx(ctx, tx, delivery)
		if err != nil && !webhook.IsDuplicate(err) {
			return err
		}
	}
	return nil
}
