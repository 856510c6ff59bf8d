package webhook

import (
	"fmt"
	"time"
)

// overdueEvery is how often an overdue callback is logged.
const overdueEvery = time.Minute

// overrun settles the claim of a callback that has not returned one lease after
// its time was over. It then waits for the callback, which still holds its slot,
// and tells the log and the Observer of it every minute. What the callback returns
// does not count.
func (a *attempt) overrun() {
	a.lease.letGo()
	a.line.leave(a.place)
	a.late.add()
	defer a.late.remove()
	o := Outcome{State: Dead, Reason: errTimedOut.Error() + " and has not returned"}
	if !a.claim().Last {
		o = a.again(o, nil)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.settle(o)
	}()
	again := time.NewTicker(overdueEvery)
	defer again.Stop()
	for {
		a.tellOverdue()
		select {
		case <-again.C:
			continue
		case err := <-a.returned:
			a.tellReturned(err)
		case <-a.staying.Done():
			<-a.returned
		}
		<-done
		return
	}
}

func (a *attempt) tellOverdue() {
	c, took := a.claim(), a.took()
	a.logger().Error("callback is overdue and holds its slot", "delivery", c.Delivery, "attempt", c.Attempt, "took", took)
	a.Observer.overdue(c, took)
}

func (a *attempt) tellReturned(err error) {
	attrs := []any{"delivery", a.claim().Delivery, "took", a.took()}
	if err != nil {
		attrs = append(attrs, "reason", reason(err))
	}
	a.logger().Warn("overdue callback has returned; its outcome does not count", attrs...)
}

// latecomers count the overdue callbacks of a pool. The pool is stuck if they
// have held every slot for one Timeout.
type latecomers struct {
	pool  *pool
	n     int // guarded by pool.mu
	stuck *time.Timer
}

func (l *latecomers) add() {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	l.n++
	if l.n == cap(l.pool.slots) && !l.pool.KeepRunning {
		l.stuck = time.AfterFunc(l.pool.timeout(), l.end)
	}
}

func (l *latecomers) remove() {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	l.n--
	if l.stuck != nil {
		l.stuck.Stop()
		l.stuck = nil
	}
}

// end ends Run with ErrStuck, unless a callback has returned meanwhile.
func (l *latecomers) end() {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	if l.n == cap(l.pool.slots) {
		l.pool.giveUp(fmt.Errorf("%w: callbacks that have not returned hold all of its %d slots", ErrStuck, l.n))
	}
}

// count returns how many callbacks are overdue.
func (l *latecomers) count() int {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	return l.n
}
