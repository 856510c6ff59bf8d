package webhook

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// A leaseKeeper renews the lease of one claim, three times as often as it must.
// Its owner listens to beat and answers in the loop in which it waits for other
// things too: an inbox that is slow to renew holds none of them up.
type leaseKeeper struct {
	inbox  guarded
	claim  Claim // what says which it is does not change
	length time.Duration

	beat    *time.Ticker
	answers chan error         // of the renewal under way; nil before the first
	asked   time.Time          // when that began; zero if there is none
	cancel  context.CancelFunc // ends that
	begun   time.Time          // when the claim was asked for
	held    atomic.Int64       // until when, after that
}

// newLeaseKeeper keeps the lease of a claim that was asked for at the given time.
func newLeaseKeeper(in guarded, c Claim, length time.Duration, asked time.Time) *leaseKeeper {
	k := &leaseKeeper{inbox: in, claim: c, length: length, begun: asked, beat: time.NewTicker(max(length/3, 1))}
	k.held.Store(int64(length))
	return k
}

// renew asks the inbox for another lease. Gone says that it was asked before, has
// not answered, and the lease has ended meanwhile: then the claim is taken for
// lost.
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

// heard takes an answer. Gone says that the claim is lost, or taken for lost,
// since its lease has ended; otherwise an error was a hiccup.
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

// quiet ends the renewing: what was asked need not be answered any more.
func (k *leaseKeeper) quiet() {
	k.beat.Stop()
	if !k.asked.IsZero() {
		k.cancel()
	}
}

// stop is quiet that waits until nothing is asked any more.
func (k *leaseKeeper) stop() {
	k.quiet()
	if !k.asked.IsZero() {
		<-k.answers
		k.asked = time.Time{}
	}
}

// letGo is the held of a lease that is taken for ended, whatever is heard.
const letGo = -1

// letGo takes the lease for ended from now on. Anyone may call it at any time.
func (k *leaseKeeper) letGo() { k.held.Store(letGo) }

// doubtful reports whether the lease has ended or may end before a claim that
// begins now is made: it was not renewed when it should have been. Anyone may ask
// at any time.
func (k *leaseKeeper) doubtful() bool {
	return time.Since(k.begun)+k.length/2 > time.Duration(k.held.Load())
}
