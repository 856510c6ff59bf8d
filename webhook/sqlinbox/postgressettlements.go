package sqlinbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// sharedWait is how long a settlement waits for the transaction that it shares.
	// Then it goes alone: one connection that hangs holds up no other.
	sharedWait = 500 * time.Millisecond
	// sharedLimit bounds that transaction. By then nobody waits for it.
	sharedLimit = 5 * time.Second
)

// Settlements gather while others are committed, and then share a transaction.
type settlements struct {
	mu      sync.Mutex
	waiting []*settlement
	running chan struct{} // closed when the goroutine that serves them ends; nil if none does
}

// A settlement waits for the transaction that it shares.
type settlement struct {
	uid     string
	fence   int64
	key     string
	settled bool          // committed; otherwise left out
	done    chan struct{} // closed once settled is set
}

// add reports whether the caller must start the goroutine.
func (ss *settlements) add(s *settlement) (first bool) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.waiting = append(ss.waiting, s)
	if first = ss.running == nil; first {
		ss.running = make(chan struct{})
	}
	return first
}

// wait returns when nothing is settled any more.
func (ss *settlements) wait() {
	ss.mu.Lock()
	running := ss.running
	ss.mu.Unlock()
	if running != nil {
		<-running
	}
}

// withdraw takes s back if no transaction has it.
func (ss *settlements) withdraw(s *settlement) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if at := slices.Index(ss.waiting, s); at >= 0 {
		ss.waiting = slices.Delete(ss.waiting, at, at+1)
	}
}

// next takes the oldest, or ends the goroutine when nothing waits.
func (ss *settlements) next() []*settlement {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if len(ss.waiting) == 0 {
		close(ss.running)
		ss.waiting, ss.running = nil, nil
		return nil
	}
	n := min(batchLimit, len(ss.waiting))
	group := slices.Clone(ss.waiting[:n])
	ss.waiting = slices.Delete(ss.waiting, 0, n)
	return group
}

// settleDone settles c as done, in a transaction with others. It does not if the
// claim is no longer held, another transaction holds its row or key, or the shared one
// takes long or fails, which may be because of another claim. If ctx ends first, c
// is either settled or not.
func (e *postgresEngine) settleDone(ctx context.Context, c webhook.Claim) (settled bool, err error) {
	s := &settlement{uid: c.Delivery.UID, fence: c.Fence, key: c.Delivery.OrderingKey, done: make(chan struct{})}
	if e.settlements.add(s) {
		go e.settleGroups()
	}
	long := time.NewTimer(sharedWait)
	defer long.Stop()
	select {
	case <-s.done:
		return s.settled, nil
	case <-long.C:
	case <-ctx.Done():
		err = ctx.Err()
	}
	e.settlements.withdraw(s)
	return false, err
}

// settleGroups settles what waits, and begins again. It adds no delay.
func (e *postgresEngine) settleGroups() {
	var group []*settlement
	defer func() {
		if group != nil { // something ended the goroutine, or panics
			e.logger().Error("the settling of claims was ended", "reason", recover(), "stack", string(debug.Stack()))
			answer(group)
			go e.settleGroups()
		}
	}()
	for {
		if group = e.settlements.next(); group == nil {
			return
		}
		if err := e.settleGroup(group); err != nil {
			e.logger().Debug("claims are settled one by one", "count", len(group), "reason", err)
		}
		e.notify()
		answer(group)
	}
}

func answer(group []*settlement) {
	for _, s := range group {
		close(s.done)
	}
}

// settleGroup settles those that are not left out, in one transaction on a context
// that is no caller's. After an error none is settled.
func (e *postgresEngine) settleGroup(group []*settlement) error {
	ctx, cancel := context.WithTimeout(context.Background(), sharedLimit)
	defer cancel()
	// Without keys only the rows themselves change, by one statement.
	hasKeys := slices.ContainsFunc(group, func(s *settlement) bool { return s.key != "" })
	run := e.stmt
	if hasKeys {
		run = e.tx
	}
	a := args{"claims": claimRows(group), "keyed": number(hasKeys), "wait": lockTimeout(batchWait)}
	var settled map[string]int64
	err := run(ctx, func(ctx context.Context, s session) (err error) {
		var keys []orderKey
		settled = make(map[string]int64, len(group))
		err = e.query(ctx, s, "settle_group", a, func(row *sql.Rows) error {
			var uid string
			var fence int64
			var k orderKey
			err := row.Scan(&uid, &fence, &k.source, &k.key)
			if settled[uid] = fence; k.key != "" {
				keys = append(keys, k)
			}
			return err
		})
		if err == nil && len(keys) > 0 {
			_, err = e.exec(ctx, s, "promote_group", args{"keys": keyRows(keys...)})
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, s := range group {
		fence, ok := settled[s.uid]
		s.settled = ok && fence == s.fence
	}
	return nil
}

// claimRows are the claims of a group as an argument, in JSON.
func claimRows(group []*settlement) string {
	type claim struct {
		UID   string `json:"uid"`
		Fence int64  `json:"fence"`
	}
	claims := make([]claim, len(group))
	for i, s := range group {
		claims[i] = claim{s.uid, s.fence}
	}
	text, _ := json.Marshal(claims) // strings and numbers: cannot fail
	return string(text)
}
