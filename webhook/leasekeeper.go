package webhook

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// A leaseKeeper renews the lease of one claim, three times in each lease. Its
// owner receives from beat and answers in the same select as from its other
// channels, so an inbox that is slow to renew does not delay those.
type leaseKeeper struct {
	inbox  guarded
	claim  Claim // what says which it is does not change
	length time.Duration

	beat    *time.Ticker
	answers chan error         // of the renewal under way; nil before the first
	asked   time.Time          // when that renewal began; zero if none is under way
	cancel  context.CancelFunc // ends that renewal
	begun   time.Time          // when the claim was asked for
	held    atomic.Int64       // the end of the lease, in nanoseconds after begun
}

// newLeaseKeeper keeps the lease of a claim that was asked for at the given time.
func newLeaseKeeper(in guarded, c Claim, length time.Duration, asked time.Time) *leaseKeeper {
	k := &leaseKeeper{inbox: in, claim: c, length: length, begun: asked, beat: time.NewTicker(max(length/3, 1))}
	k.held.Store(int64(length))
	return k
}

// renew asks the inbox for another lease, unless a renewal is under way. It
// reports gone if one is and the lease has ended: the claim is taken for lost.
func (k *leaseKeeper) renew(ctx context.Context) (gone bool) {
	if !k.asked.IsZero() {
		return k.ended()
	}
	if k.answers == nil {
		k.answers = make(chan error, 1)
	}
	k.asked = time.Now()
	ctx, k.cancel = context.WithTimeout(ctx, k.length/3)
	go func() {
		err := exited()
		defer func() { k.answers <- err }()
		err = k.inbox.Extend(ctx, k.claim, k.length)
	}()
	return false
}

// ended reports whether the lease has ended, as far as is known here.
func (k *leaseKeeper) ended() bool { return time.Since(k.begun) >= time.Duration(k.held.Load()) }

// heard takes an answer. It reports gone if the claim is lost, or is taken for
// lost because its lease has ended. Any other error is a hiccup.
func (k *leaseKeeper) heard(err error) (gone bool) {
	asked := k.asked
	k.asked = time.Time{}
	k.cancel()
	if err == nil {
		if old := k.held.Load(); old != letGo {
			k.held.CompareAndSwap(old, int64(asked.Add(k.length).Sub(k.begun)))
		}
		return false
	}
	return errors.Is(err, ErrClaimLost) || k.ended()
}

// quiet ends the renewing, and the context of a renewal under way.
func (k *leaseKeeper) quiet() {
	k.beat.Stop()
	if !k.asked.IsZero() {
		k.cancel()
	}
}

// stop is quiet, and waits until a renewal under way has returned.
func (k *leaseKeeper) stop() {
	k.quiet()
	if !k.asked.IsZero() {
		<-k.answers
		k.asked = time.Time{}
	}
}

// letGo is the value of held that no answer changes: the lease is taken for ended.
const letGo = -1

// letGo takes the lease for ended from now on. It is safe for concurrent use.
func (k *leaseKeeper) letGo() { k.held.Store(letGo) }

// doubtful reports whether less than half of the lease is left, so that it has
// ended or may end before a Claim that begins now returns. It is safe for
// concurrent use.
func (k *leaseKeeper) doubtful() bool {
	return time.Since(k.begun)+k.length/2 > time.Duration(k.held.Load())
}
