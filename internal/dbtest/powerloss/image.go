package powerloss

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3/driver"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// examine opens an image with SQLite and compares it with what was promised. If drain,
// an inbox also claims and settles what is left. A fault of the image is in the Report,
// not in the error.
func examine(img Image, want *ledger, drain bool) (Report, error) {
	ctx := context.Background()
	var found Report
	d, err := NewDisk(img)
	if err != nil {
		return found, err
	}
	defer func() { _ = d.Close() }()
	db, err := driver.Open(d.DSN(database, "_pragma=busy_timeout(10000)", "_pragma=synchronous(EXTRA)", "_txlock=immediate"))
	if err != nil {
		return found, err
	}
	defer func() { _ = db.Close() }()
	if damage := integrity(ctx, db); damage != "" {
		found.Damaged = append(found.Damaged, damage)
	}
	rows, err := stored(ctx, db)
	if err != nil && len(want.bodies) > 0 { // otherwise there may be no tables yet
		found.Damaged = append(found.Damaged, err.Error())
	}
	for uid, body := range want.bodies {
		row, ok := rows[uid]
		switch {
		case !ok || row.body != body:
			found.Lost = append(found.Lost, uid)
		case want.settled[uid] && row.state != webhook.Done:
			found.Undone = append(found.Undone, uid)
		}
	}
	if drain && len(found.Lost)+len(found.Damaged) == 0 && len(want.bodies) > 0 {
		if err := drained(ctx, db, want, &found); err != nil {
			return found, fmt.Errorf("powerloss: draining an image: %w", err)
		}
	}
	return found, nil
}

// integrity returns what SQLite finds wrong in the file, or "".
func integrity(ctx context.Context, db *sql.DB) string {
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&verdict); err != nil {
		return err.Error()
	}
	if verdict != "ok" {
		return verdict
	}
	return ""
}

type storedRow struct {
	state webhook.State
	body  string
}

// stored returns the deliveries by UID.
func stored(ctx context.Context, db *sql.DB) (map[string]storedRow, error) {
	list, err := db.QueryContext(ctx, "SELECT d.uid, d.state, b.body FROM hookhouse_deliveries d JOIN hookhouse_bodies b ON b.id = d.id")
	if err != nil {
		return nil, err
	}
	defer func() { _ = list.Close() }()
	rows := make(map[string]storedRow)
	for list.Next() {
		var uid string
		var r storedRow
		if err := list.Scan(&uid, &r.state, &r.body); err != nil {
			return nil, err
		}
		rows[uid] = r
	}
	return rows, list.Err()
}

// drained claims and settles everything. Deliveries that were promised and not settled
// must come, whole and once. Settled ones must not come.
func drained(ctx context.Context, db *sql.DB, want *ledger, found *Report) error {
	in := sqlinbox.New(db, sqlinbox.SQLite)
	defer func() { _ = in.Close() }()
	came := make(map[string]bool)
	for {
		claims, err := in.Claim(ctx, webhook.ClaimOptions{N: 100, Lease: time.Hour})
		if err != nil {
			return err
		}
		if len(claims) == 0 {
			break
		}
		for _, c := range claims {
			uid := c.Delivery.UID
			body, promised := want.bodies[uid]
			if promised && string(c.Delivery.Body) != body || came[uid] {
				found.Lost = append(found.Lost, uid)
			}
			if want.settled[uid] {
				found.Undone = append(found.Undone, uid)
			}
			came[uid] = true
			if _, err := in.Settle(ctx, c, webhook.Outcome{State: webhook.Done}); err != nil {
				return err
			}
		}
	}
	// A delivery that was settled in the database, before the worker knew, does not
	// come.
	for uid := range want.bodies {
		if !came[uid] && !want.settled[uid] && stateOf(ctx, in, uid) != webhook.Done {
			found.Lost = append(found.Lost, uid)
		}
	}
	return nil
}

func stateOf(ctx context.Context, in *sqlinbox.Inbox, uid string) webhook.State {
	r, err := in.Get(ctx, uid)
	if err != nil {
		return ""
	}
	return r.State
}
