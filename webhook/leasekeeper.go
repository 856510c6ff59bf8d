package webhook

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// A leaseKeeper renews the lease of one claim, three times in each lease. Its owner
// receives from ticker and answers in the select that receives from its other
// channels, so that a slow inbox delays nothing else.
type leaseKeeper struct {
	inbox  guardedQueue
	claim  Claim // its UID and Fence, which do not change, identify it
	length time.Duration

	ticker    *time.Ticker
	answers   chan error         // receives the result of each renewal; nil before the first
	requested time.Time          // when the renewal in progress began; zero if there is none
	cancel    context.CancelFunc // ends the renewal in progress
	start     time.Time          // when the claim was requested
	end       atomic.Int64       // end of the lease, in nanoseconds after start
}

// newLeaseKeeper returns a leaseKeeper for a claim that was requested at start.
func newLeaseKeeper(in guardedQueue, c Claim, length time.Duration, start time.Time) *leaseKeeper {
	k := &leaseKeeper{inbox: in, claim: c, length: length, start: start, ticker: time.NewTicker(max(length/3, 1))}
	k.end.Store(int64(length))
	return k
}

// renew starts a renewal, unless one is in progress. It reports lost if one is in
// progress and the lease has ended: the claim is then assumed to be lost.
func (k *leaseKeeper) renew(ctx context.Context) (lost bool) {
	if !k.requested.IsZero() {
		return k.expired()
	}
	if k.answers == nil {
		k.answers = make(chan error, 1)
	}
	k.requested = time.Now()
	ctx, k.cancel = context.WithTimeout(ctx, k.length/3)
	go func() {
		err := goexitError()
		defer func() { k.answers <- err }()
		err = k.inbox.Extend(ctx, k.claim, k.length)
	}()
	return false
}

// expired reports whether the lease has ended, by this machine's clock.
func (k *leaseKeeper) expired() bool { return time.Since(k.start) >= time.Duration(k.end.Load()) }

// renewed handles the result of a renewal. It reports lost if the claim is lost, or
// if the renewal failed and the lease has ended. After any other error the next
// renewal may succeed.
func (k *leaseKeeper) renewed(err error) (lost bool) {
	requested := k.requested
	k.requested = time.Time{}
	k.cancel()
	if err == nil {
		if old := k.end.Load(); old != leaseGivenUp {
			k.end.CompareAndSwap(old, int64(requested.Add(k.length).Sub(k.start)))
		}
		return false
	}
	return errors.Is(err, ErrClaimLost) || k.expired()
}

// stopRenewing starts no further renewals, and ends the context of one in progress.
func (k *leaseKeeper) stopRenewing() {
	k.ticker.Stop()
	if !k.requested.IsZero() {
		k.cancel()
	}
}

// stop is stopRenewing that also waits until a renewal in progress has returned.
func (k *leaseKeeper) stop() {
	k.stopRenewing()
	if !k.requested.IsZero() {
		<-k.answers
		k.requested = time.Time{}
	}
}

// leaseGivenUp is the value of end that no renewal changes.
const leaseGivenUp = -1

// giveUp treats the lease as ended from now on. It is safe for concurrent use.
func (k *leaseKeeper) giveUp() { k.end.Store(leaseGivenUp) }

// mayExpire reports whether less than half of the lease remains: it has ended, or may
// end before a Claim that begins now returns. It is safe for concurrent use.
func (k *leaseKeeper) mayExpire() bool {
	return time.Since(k.start)+k.length/2 > time.Duration(k.end.Load())
}
