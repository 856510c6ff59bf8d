package fault_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
)

// scenario uses every method of an inbox at least once, with the n-th operation
// broken. Nothing is restarted. It returns the faults.
func (r *rig) scenario(n int, k fault.Kind) []string {
	// These are the program's own tables.
	for _, text := range []string{"CREATE TABLE effects (uid TEXT)", "CREATE TABLE orders (name TEXT)"} {
		if _, err := r.direct.Exec(text); err != nil {
			r.faultf("%v", err)
		}
	}
	r.plan.Break(n, k)
	if r.retry("migrate", r.inbox.Migrate) != nil {
		return r.faults
	}

	// Some are sent alone and some at the same time, one of them twice.
	lone := &message{name: "lone", dedupKeys: []string{"lone", "signature"}}
	r.send(lone)
	first := &message{name: "first of its key", key: "key", dedupKeys: []string{"first"}, outcome: "again"}
	retried := &message{name: "retried", dedupKeys: []string{"retried"}, outcome: "again"}
	bare := &message{name: "without a dedup key", outcome: "dies"}
	var all sync.WaitGroup
	for _, m := range []*message{first, retried, bare} {
		all.Go(func() { r.send(m) })
	}
	all.Wait()
	second := &message{name: "second of its key", key: "key", dedupKeys: []string{"second"}, outcome: "effect"}
	r.send(second)
	if !r.send(lone) {
		r.faultf("the second copy was not answered as a duplicate")
	}
	older := &message{name: "older of a burst", key: "burst", dedupKeys: []string{"older"}, coalesce: true}
	newer := &message{name: "newer of a burst", key: "burst", dedupKeys: []string{"newer"}, coalesce: true, outcome: "effect"}
	r.send(older)
	r.send(newer)
	order := &message{name: "order", key: "key", dedupKeys: []string{"order"}}
	r.orderTx(order)
	revived := &message{name: "revived", id: "7", dedupKeys: []string{"revived"}, outcome: "dies"}
	r.send(revived)
	r.checkTables("after the puts")
	for _, m := range r.sent {
		if len(m.acknowledged) == 0 {
			return r.faults
		}
	}

	r.drain()
	r.checkTables("after the work")
	if n := r.count("hookhouse_deliveries WHERE state = 'superseded'"); n != 1 {
		r.faultf("%d superseded, want 1", n)
	}
	r.checkOrder(first, second, order)

	// Dead deliveries run again: one is replayed, one is redelivered.
	bare.outcome, revived.outcome = "", ""
	_ = r.retry("replay", func(ctx context.Context) error {
		_, err := r.inbox.Replay(ctx, webhook.Filter{Text: "poison", UID: bare.acknowledged[0]}, webhook.Note{By: "test"})
		if errors.Is(err, webhook.ErrState) {
			return nil // it runs already
		}
		return err
	})
	if !r.send(revived) {
		r.faultf("a redelivery was stored beside the dead delivery")
	}
	r.checkTables("after the replay")
	r.drain()
	for _, m := range []*message{first, retried, lone} {
		if n := r.count("hookhouse_deliveries WHERE revivals > 0 AND uid = '" + m.acknowledged[0] + "'"); n > 0 {
			r.faultf("%s was revived", m.name)
		}
	}
	if n := r.count("hookhouse_deliveries WHERE revivals = 1 AND uid = '" + revived.acknowledged[0] + "'"); n != 1 {
		r.faultf("%s was not revived once", revived.name)
	}
	if n := r.count("hookhouse_replays"); n != 1 {
		r.faultf("%d replays are recorded, want 1", n)
	}
	r.checkProgramRows(second, newer, order)
	r.finishExtraCopies(bare)

	r.sweep()
	r.checkTables("after the sweep")
	if !r.send(lone) {
		r.faultf("a dedup key did not outlive its delivery")
	}
	_ = r.retry("stats", func(ctx context.Context) error { _, err := r.inbox.Stats(ctx); return err })
	_ = r.retry("ping", r.inbox.Ping)

	// Whatever failed, the inbox works.
	last := &message{name: "last", key: "key", dedupKeys: []string{"last"}}
	r.send(last)
	r.drain()
	r.checkTables("at the end")
	r.checkMessages(k.Executed())
	return r.faults
}

// checkOrder checks that the messages of a key ended one after the other.
func (r *rig) checkOrder(ms ...*message) {
	var before int64
	for _, m := range ms {
		var ended int64
		if err := r.direct.QueryRow("SELECT coalesce(finished_at, 0) FROM hookhouse_deliveries WHERE uid = '" + m.acknowledged[0] + "'").Scan(&ended); err != nil {
			r.faultf("%s: %v", m.name, err)
		}
		if ended < before {
			r.faultf("%s ended before the one that blocked it", m.name)
		}
		before = ended
	}
}

// checkProgramRows checks that the program's own rows were committed exactly as often
// as the deliveries.
func (r *rig) checkProgramRows(second, newer, order *message) {
	for _, m := range []*message{second, newer} {
		if n := r.count("effects WHERE uid = '" + m.acknowledged[0] + "'"); n != 1 {
			r.faultf("the effect of %s is stored %d times", m.name, n)
		}
	}
	if n := r.count("effects"); n != 2 {
		r.faultf("%d effects, want 2", n)
	}
	if n := r.count("orders"); n != 1 {
		r.faultf("%d orders, want 1", n)
	}
	if len(order.acknowledged) != 1 {
		r.faultf("the order was acknowledged %d times", len(order.acknowledged))
	}
}

// finishExtraCopies settles the second copy of a message without a dedup key, if one
// was stored: it is dead like the first, and is not replayed.
func (r *rig) finishExtraCopies(bare *message) {
	for _, uid := range bare.uids {
		if uid != bare.acknowledged[0] && r.count("hookhouse_deliveries WHERE state = 'dead' AND uid = '"+uid+"'") == 1 {
			if _, err := r.direct.Exec("UPDATE hookhouse_deliveries SET state = 'done' WHERE uid = '" + uid + "'"); err != nil {
				r.faultf("%v", err)
			}
		}
	}
}

// sweep deletes everything that is finished, and nothing else. Sweep leaves out rows
// that another transaction has locked, and the server may not have ended one that was
// given up. Then sweep tries again.
func (r *rig) sweep() {
	final, open := r.byState()
	var kept []string
	isKept := func(uid string) bool { return slices.Contains(kept, uid) }
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := wait.Until(ctx, "everything finished is swept", func() bool {
		_ = r.retry("sweep", func(ctx context.Context) error {
			_, err := r.inbox.Sweep(ctx)
			return err
		})
		kept = r.uids("1 = 1")
		return !slices.ContainsFunc(final, isKept)
	})
	if err != nil {
		r.faultf("%v", err)
	}
	for _, uid := range final {
		r.swept[uid] = true
		if isKept(uid) {
			r.faultf("%s is finished and was not swept", uid)
		}
	}
	for _, uid := range open {
		if !isKept(uid) {
			r.faultf("%s was swept and is not finished", uid)
		}
	}
}
