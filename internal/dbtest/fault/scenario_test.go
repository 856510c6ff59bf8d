package fault_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
	"github.com/hookhouse/hookhouse/webhook"
)

// scenario is a day in the life of an inbox, everything it does at least once,
// with the n-th operation broken. Nothing restarts. It returns what is wrong.
func (r *rig) scenario(n int, k fault.Kind) []string {
	// The program's own tables: PostgreSQL and SQLite take the same text.
	for _, text := range []string{"CREATE TABLE effects (uid TEXT)", "CREATE TABLE orders (name TEXT)"} {
		if _, err := r.eye.Exec(text); err != nil {
			r.complain("%v", err)
		}
	}
	r.plan.Break(n, k)
	if r.insist("migrate", r.inbox.Migrate) != nil {
		return r.wrong
	}

	// Some alone and some at once, one of them twice.
	lone := &message{name: "lone", marks: []string{"lone", "signature"}}
	r.send(lone)
	first := &message{name: "first of its key", key: "key", marks: []string{"first"}, end: "again"}
	retried := &message{name: "retried", marks: []string{"retried"}, end: "again"}
	bare := &message{name: "without a dedup key", end: "dies"}
	var all sync.WaitGroup
	for _, m := range []*message{first, retried, bare} {
		all.Go(func() { r.send(m) })
	}
	all.Wait()
	second := &message{name: "second of its key", key: "key", marks: []string{"second"}, end: "effect"}
	r.send(second)
	if !r.send(lone) {
		r.complain("the second of the same is not told from the first")
	}
	older := &message{name: "older of a burst", key: "burst", marks: []string{"older"}, coalesce: true}
	newer := &message{name: "newer of a burst", key: "burst", marks: []string{"newer"}, coalesce: true, end: "effect"}
	r.send(older)
	r.send(newer)
	order := &message{name: "order", key: "key", marks: []string{"order"}}
	r.orderTx(order)
	revived := &message{name: "revived", id: "7", marks: []string{"revived"}, end: "dies"}
	r.send(revived)
	r.inspect("after the puts")
	for _, m := range r.order {
		if len(m.known) == 0 {
			return r.wrong
		}
	}

	r.workOff()
	r.inspect("after the work")
	if n := r.count("hookhouse_deliveries WHERE state = 'superseded'"); n != 1 {
		r.complain("%d superseded, want 1", n)
	}
	r.inOrder(first, second, order)

	// What died runs again: by a person, and by the sender's redelivery.
	bare.end, revived.end = "", ""
	_ = r.insist("replay", func(ctx context.Context) error {
		_, err := r.inbox.Replay(ctx, webhook.Filter{Text: "poison", UID: bare.known[0]}, webhook.Note{By: "test"})
		if errors.Is(err, webhook.ErrState) {
			return nil // it runs already
		}
		return err
	})
	if !r.send(revived) {
		r.complain("a redelivery was stored beside the one that died")
	}
	r.inspect("after the replay")
	r.workOff()
	for _, m := range []*message{first, retried, lone} {
		if n := r.count("hookhouse_deliveries WHERE revivals > 0 AND uid = '" + m.known[0] + "'"); n > 0 {
			r.complain("%s was revived", m.name)
		}
	}
	if n := r.count("hookhouse_deliveries WHERE revivals = 1 AND uid = '" + revived.known[0] + "'"); n != 1 {
		r.complain("%s was not revived once", revived.name)
	}
	if n := r.count("hookhouse_replays"); n != 1 {
		r.complain("%d replays are recorded, want 1", n)
	}
	r.programsRows(second, newer, order)
	r.forgetBare(bare)

	r.sweep()
	r.inspect("after the sweep")
	if !r.send(lone) {
		r.complain("a dedup key did not outlive its delivery")
	}
	_ = r.insist("stats", func(ctx context.Context) error { _, err := r.inbox.Stats(ctx); return err })
	_ = r.insist("ping", r.inbox.Ping)

	// Whatever went wrong, it works.
	last := &message{name: "last", key: "key", marks: []string{"last"}}
	r.send(last)
	r.workOff()
	r.inspect("at the end")
	r.settleAccounts(k.Executed())
	return r.wrong
}

// inOrder: those of a key ended one after the other.
func (r *rig) inOrder(ms ...*message) {
	var before int64
	for _, m := range ms {
		var ended int64
		if err := r.eye.QueryRow("SELECT coalesce(finished_at, 0) FROM hookhouse_deliveries WHERE uid = '" + m.known[0] + "'").Scan(&ended); err != nil {
			r.complain("%s: %v", m.name, err)
		}
		if ended < before {
			r.complain("%s ended before the one it stood behind", m.name)
		}
		before = ended
	}
}

// programsRows: the program's own rows are there exactly as often as the inbox
// says.
func (r *rig) programsRows(second, newer, order *message) {
	for _, m := range []*message{second, newer} {
		if n := r.count("effects WHERE uid = '" + m.known[0] + "'"); n != 1 {
			r.complain("the effect of %s is there %d times", m.name, n)
		}
	}
	if n := r.count("effects"); n != 2 {
		r.complain("there are %d effects, want 2", n)
	}
	if n := r.count("orders"); n != 1 {
		r.complain("there are %d orders, want 1", n)
	}
	if len(order.known) != 1 {
		r.complain("the order was acknowledged %d times", len(order.known))
	}
}

// forgetBare: of one without a dedup key a second copy may have been stored,
// which died like the first and which nobody replays.
func (r *rig) forgetBare(bare *message) {
	for _, uid := range bare.uids {
		if uid != bare.known[0] && r.count("hookhouse_deliveries WHERE state = 'dead' AND uid = '"+uid+"'") == 1 {
			if _, err := r.eye.Exec("UPDATE hookhouse_deliveries SET state = 'done' WHERE uid = '" + uid + "'"); err != nil {
				r.complain("%v", err)
			}
		}
	}
}

// sweep deletes all that is finished, and nothing else. Sweep passes by what
// another transaction holds, and the server may not have ended one that was given
// up: then it is asked again.
func (r *rig) sweep() {
	final, open := r.finals()
	left := func() (kept []string) {
		_ = r.insist("sweep", func(ctx context.Context) error {
			_, err := r.inbox.Sweep(ctx)
			return err
		})
		return r.uids("1 = 1")
	}
	kept := left()
	isKept := func(uid string) bool { return slices.Contains(kept, uid) }
	for since := time.Now(); slices.ContainsFunc(final, isKept) && time.Since(since) < 10*time.Second; kept = left() {
		time.Sleep(10 * time.Millisecond)
	}
	for _, uid := range final {
		r.swept[uid] = true
		if isKept(uid) {
			r.complain("%s is finished and was not swept", uid)
		}
	}
	for _, uid := range open {
		if !isKept(uid) {
			r.complain("%s was swept and is not finished", uid)
		}
	}
}
