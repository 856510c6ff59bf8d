package sqlinbox

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

const (
	// repairPage is how many keys one statement looks at.
	repairPage = 1000
	// sweepPages and checkPages are how many such statements one Sweep and one Check
	// run: the next one goes on where the last one ended.
	sweepPages = 20
	checkPages = 100
)

// A repairs remembers where the last repair ended.
type repairs struct {
	mu   sync.Mutex // locked by the repair under way
	last orderKey
}

// repair makes a delivery the head of each key that has unfinished ones and no head.
// No statement of this package leaves such a key. One of another writer may, or a
// fault, and then nothing else would ever move it. repair reads the given number of
// pages of keys, or none if another repair is under way.
func (in *Inbox) repair(ctx context.Context, pages int) error {
	if !in.repairs.mu.TryLock() {
		return nil
	}
	defer in.repairs.mu.Unlock()
	for range pages {
		page, stuck, err := in.stuckKeys(ctx, in.repairs.last)
		if err != nil {
			return err
		}
		for _, k := range stuck {
			if _, err := in.repairKey(ctx, k); err != nil {
				return err
			}
		}
		if len(page) < repairPage {
			in.repairs.last = orderKey{}
			return nil
		}
		in.repairs.last = page[len(page)-1]
	}
	return nil
}

// stuckKeys returns the next keys after the given one that have blocked
// deliveries, and those of them that have no head.
func (t *tables) stuckKeys(ctx context.Context, after orderKey) (page, stuck []orderKey, err error) {
	a := args{"source": after.source, "key": after.key, "n": repairPage}
	err = t.query(ctx, t.db, "stuck_keys", a, func(row *sql.Rows) error {
		var k orderKey
		var missing bool
		err := row.Scan(&k.source, &k.key, &missing)
		page = append(page, k)
		if missing {
			stuck = append(stuck, k)
		}
		return err
	})
	return page, stuck, err
}

// repairKey makes a delivery of k its head if it has none, and reports that it did.
func (in *Inbox) repairKey(ctx context.Context, k orderKey) (repaired bool, err error) {
	err = in.engine.tx(ctx, func(ctx context.Context, s session) error {
		repaired = false
		if _, err := in.engine.lock(ctx, s, k, lockMode{}); err != nil {
			return err
		}
		n, err := in.exec(ctx, s, "promote", args{"source": k.source, "key": k.key})
		repaired = n > 0
		return err
	})
	if errors.Is(err, errLeftOut) {
		return false, nil // somebody decides about the key at this moment
	}
	if err != nil || !repaired {
		return false, err
	}
	in.logger().Error("an ordering key had unfinished deliveries and none that could be claimed; the next one was brought forward",
		"source", k.source, "ordering_key", k.key)
	in.Observer.repaired(ctx, k.source, k.key)
	in.notify()
	return true, nil
}
