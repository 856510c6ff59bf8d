package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
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
		subject TEXT PRIMARY KEY,
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
		news, err := j.news(ctx, tx, d.Type+" "+d.Key, &o)
		if err != nil || !news {
			return err
		}
		return j.spread(ctx, tx, d, o.notice)
	})
}

// news sets what the outcome is, compared with the last one, and reports whether
// that is to be told. The inbox lets no two of a site or job run at once.
func (j *judge) news(ctx context.Context, tx *sql.Tx, subject string, o *outcome) (bool, error) {
	mark := fmt.Sprintf("%q %s", o.ID, o.Ended.UTC().Format(time.RFC3339Nano))
	var failed bool
	var last string
	err := tx.QueryRowContext(ctx, `SELECT failed, mark FROM notify_outcomes WHERE subject = $1`, subject).Scan(&failed, &last)
	switch {
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return false, err
	case last == mark && !o.Ended.IsZero():
		return false, nil // the same once more, after the inbox has forgotten it
	case o.failed:
		o.What = failure
	case failed:
		o.What = recovery
	default:
		o.What = success
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO notify_outcomes (subject, failed, mark) VALUES ($1, $2, $3)
		ON CONFLICT (subject) DO UPDATE SET failed = excluded.failed, mark = excluded.mark`, subject, o.failed, mark)
	// A recovery is a success too.
	return j.rules[o.What] || o.What == recovery && j.rules[success], err
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
		told := webhook.NewDelivery("notify", noticeType(t.kind()), t.name()+" "+d.Key, body) // a turn for each site at a target
		told.UID = d.UID + "-" + t.name()                                                     // stored once, however often this runs
		told.Header = http.Header{"Content-Type": {"application/json"}}
		told.ReceivedAt = d.ReceivedAt
		err = j.store.PutTx(ctx, tx, told)
		if err != nil && !errors.Is(err, webhook.ErrDuplicate) {
			return err
		}
	}
	return nil
}
