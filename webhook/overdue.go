package webhook

import (
	"fmt"
	"time"
)

// overdueEvery is the interval at which an overdue callback is logged.
const overdueEvery = time.Minute

// settleOverdue settles the claim of a callback that has not returned one lease
// after its timeout. Then it waits for the callback, which still holds its slot, and
// logs it every minute. What the callback returns does not count.
func (a *attempt) settleOverdue() {
	a.lease.giveUp()
	a.pool.line.leave(a.place)
	a.pool.overdue.add(a)
	defer a.pool.overdue.remove(a)
	settled := make(chan struct{})
	go func() {
		defer close(settled)
		a.settle(a.policy.overdue(a.claim()))
	}()
	ticker := time.NewTicker(overdueEvery)
	defer ticker.Stop()
	for {
		a.reportOverdue()
		select {
		case <-ticker.C:
			continue
		case err := <-a.returned:
			a.logReturned(err)
		case <-a.pool.abandoned.Done():
			<-a.returned
		}
		<-settled
		return
	}
}

// reportOverdue logs the overdue callback and calls the Observer.
func (a *attempt) reportOverdue() {
	c, took := a.claim(), a.took()
	a.pool.logger().Error("callback is overdue and holds its slot", "delivery", c.Delivery, "attempt", c.Attempt, "took", took)
	a.pool.Observer.overdue(a.context(), c, took)
}

func (a *attempt) logReturned(err error) {
	attrs := []any{"delivery", a.claim().Delivery, "took", a.took()}
	if err != nil {
		attrs = append(attrs, "reason", reason(err))
	}
	a.pool.logger().Warn("overdue callback has returned; its outcome does not count", attrs...)
}

// overdueCallbacks has the attempts of a pool whose callbacks are overdue. The pool is
// stuck when they have held all slots for the longest of their Timeouts.
type overdueCallbacks struct {
	pool     *pool
	attempts map[*attempt]struct{} // guarded by pool.mu
	stuck    *time.Timer
}

func (o *overdueCallbacks) init(p *pool) {
	o.pool, o.attempts = p, make(map[*attempt]struct{})
}

func (o *overdueCallbacks) add(a *attempt) {
	o.pool.mu.Lock()
	o.attempts[a] = struct{}{}
	if len(o.attempts) == cap(o.pool.slots) && !o.pool.KeepRunning {
		var timeout time.Duration
		for a := range o.attempts {
			timeout = max(timeout, a.policy.timeout)
		}
		o.stuck = time.AfterFunc(timeout, o.failStuck)
	}
	ofType, slots := o.ofType(a.typ), o.pool.types.slots[a.typ]
	o.pool.mu.Unlock()
	if ofType == slots {
		o.pool.logger().Error("overdue callbacks hold all slots of their type, and no more of it is claimed", "type", a.typ, "slots", slots)
	}
}

func (o *overdueCallbacks) remove(a *attempt) {
	o.pool.mu.Lock()
	defer o.pool.mu.Unlock()
	delete(o.attempts, a)
	if o.stuck != nil {
		o.stuck.Stop()
		o.stuck = nil
	}
}

// failStuck ends Run with ErrStuck, unless a callback has returned meanwhile.
func (o *overdueCallbacks) failStuck() {
	o.pool.mu.Lock()
	defer o.pool.mu.Unlock()
	if n := len(o.attempts); n == cap(o.pool.slots) {
		o.pool.fail(fmt.Errorf("%w: callbacks that have not returned hold all of its %d slots", ErrStuck, n))
	}
}

// count returns the number of overdue callbacks.
func (o *overdueCallbacks) count() int {
	o.pool.mu.Lock()
	defer o.pool.mu.Unlock()
	return len(o.attempts)
}

// ofType returns the number of overdue callbacks of a type. The caller holds pool.mu.
func (o *overdueCallbacks) ofType(typ string) (n int) {
	for a := range o.attempts {
		if a.typ == typ {
			n++
		}
	}
	return n
}
