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
	a.pool.overdue.add()
	defer a.pool.overdue.remove()
	settled := make(chan struct{})
	go func() {
		defer close(settled)
		a.settle(a.pool.policy.overdue(a.claim()))
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

// overdueCallbacks counts the overdue callbacks of a pool. The pool is stuck when
// they have held all slots for one Timeout.
type overdueCallbacks struct {
	pool  *pool
	n     int // guarded by pool.mu
	stuck *time.Timer
}

func (o *overdueCallbacks) add() {
	o.pool.mu.Lock()
	defer o.pool.mu.Unlock()
	o.n++
	if o.n == cap(o.pool.slots) && !o.pool.KeepRunning {
		o.stuck = time.AfterFunc(o.pool.timeout(), o.failStuck)
	}
}

func (o *overdueCallbacks) remove() {
	o.pool.mu.Lock()
	defer o.pool.mu.Unlock()
	o.n--
	if o.stuck != nil {
		o.stuck.Stop()
		o.stuck = nil
	}
}

// failStuck ends Run with ErrStuck, unless a callback has returned meanwhile.
func (o *overdueCallbacks) failStuck() {
	o.pool.mu.Lock()
	defer o.pool.mu.Unlock()
	if o.n == cap(o.pool.slots) {
		o.pool.fail(fmt.Errorf("%w: callbacks that have not returned hold all of its %d slots", ErrStuck, o.n))
	}
}

// count returns the number of overdue callbacks.
func (o *overdueCallbacks) count() int {
	o.pool.mu.Lock()
	defer o.pool.mu.Unlock()
	return o.n
}
