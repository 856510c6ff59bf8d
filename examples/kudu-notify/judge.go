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

// A judge decides what is news. It knows how each site and job ended last.
type judge struct {
	store   *store
	rules   map[string]bool // what is told
	targets []target
}

// newJudge makes the table that the last outcomes are in.
func newJudge(ctx context.Context, s *store, rules map[string]bool, targets []target) (*judge, error) {
	_, err := s.db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS notify_outcomes (
		subject TEXT PRIMARY KEY, -- see readLast
		failed  BOOLEAN NOT NULL,
		mark    TEXT NOT NULL -- id and end of the last one
	)`)
	return &judge{s, rules, targets}, err
}

// decide does in one transaction all that follows from an outcome: it becomes
// the last one, what is to be told is stored for each target, and the delivery
// is settled. A crash leaves all of it or nothing. Telling is not part of it: a
// target that is down holds up its own notices and no others.
func (j *judge) decide(ctx context.Context, d *webhook.Delivery, o outcome) error {
	if !o.final {
		return fmt.Errorf("%w: status %q is no end", webhook.ErrIgnored, o.Status)
	}
	return j.store.InTx(ctx, func(tx *sql.Tx) error {
		news, err := j.news(ctx, tx, d.Type+" "+d.OrderingKey, &o)
		if err != nil || !news {
			return err
		}
		return j.spread(ctx, tx, d, o.notice)
	})
}

// news sets what the outcome is, compared with the last one, and reports whether
// that is to be told. The inbox lets no two of a site or job run at once.
func (j *judge) news(ctx context.Context, tx *sql.Tx, subject string, o *outcome) (bool, error) {
	last, err := readLast(ctx, tx, subject, o)
	if err != nil {
		return false, err
	}
	mark := fmt.Sprintf("%q %s", o.ID, o.Ended.UTC().Format(time.RFC3339Nano))
	if last.mark == mark && last.failed == o.failed && !o.Ended.IsZero() {
		return false, nil // the same once more, after the inbox has forgotten it
	}
	tell := j.rules[success]
	switch {
	case o.failed:
		o.What, tell = failure, j.rules[failure]
	case last.failed && last.sure:
		o.What, tell = recovery, tell || j.rules[recovery] // a recovery is a success too
	case last.failed:
		o.What, tell = success, tell || j.rules[recovery] // it may be one
	default:
		o.What = success
	}
	return tell, last.replace(ctx, tx, o.failed, mark)
}

// spread stores an errand for each target. They have the inbox's retries and
// dead letters, as what came from outside has.
func (j *judge) spread(ctx context.Context, tx *sql.Tx, d *webhook.Delivery, n notice) error {
	n.Channel = d.Header.Get(channelHeader)
	for _, t := range j.targets {
		body, err := json.Marshal(errand{t.name(), n})
		if err != nil {
			return webhook.Permanent(err)
		}
		told := webhook.NewDelivery("notify", noticeType(t.kind()), t.name()+" "+d.OrderingKey, body) // a turn for each site at a target
		told.UID = d.UID + "-" + t.name()                                                             // stored once, however often this runs
		told.Header = http.Header{"Content-Type": {"application/json"}}
		told.ReceivedAt = d.ReceivedAt
		err = j.store.PutTx(ctx, tx, told)
		if err != nil && !webhook.IsDuplicate(err) {
			return err
		}
	}
	return nil
}
