package webhook

import (
	"container/list"
	"slices"
	"time"
)

// A memRecord is one delivery in a MemInbox.
type memRecord struct {
	d               *Delivery
	last            *memLastState
	seq             int64
	firstSeq        int64 // seq of the first run
	attempt         int   // runs counted
	lost            int   // claims in a row that ended without a settlement
	crashes         int   // runs in a row that Begin noted and that were lost
	begun           bool
	reason          string // of the last outcome
	fence           int64
	claimed         memClaim   // the last claim
	settled         memSettled // the last settlement
	revived         int
	due             time.Time     // when it may be claimed, unless it is Claimed
	notBefore       time.Time     // the first run is not due before; zero in a later one
	burst           time.Time     // when its burst began
	finishedAt      time.Time     // zero unless its state is final
	retryOutOfOrder bool          // lets younger ones pass while it is not due
	replayed        bool          // stands behind live ones
	position        int           // in the heap that its state puts it in
	finished        *list.Element // in the list of finished ones that its state puts it in
	attempts        memEvents
	replays         memEvents
}

// A memLastState outlives its record in the dedup keys that point to it.
type memLastState struct {
	uid, senderID string
	state         State
}

// A memOrderingKey is an ordering key with its Source.
type memOrderingKey struct{ source, key string }

func (r *memRecord) orderingKey() memOrderingKey {
	return memOrderingKey{r.d.Source, r.d.OrderingKey}
}

// A memBurst is what the deliveries of a burst have in common.
type memBurst struct {
	memOrderingKey
	typ string
}

func (r *memRecord) burstKey() memBurst { return memBurst{r.orderingKey(), r.d.Type} }

// A memClaim is a claim as its record remembers it.
type memClaim struct {
	by      string
	at      time.Time
	expires time.Time
}

// A memSettled is the last claim that was settled and the state that came of it.
type memSettled struct {
	fence int64
	state State
}

// suspectAfter is how many lost claims in a row make the next one suspect.
const suspectAfter = 2

func (r *memRecord) suspect() bool { return r.lost >= suspectAfter }

// claimable is when the record may be claimed: when it is due, or once its lease
// has run out.
func (r *memRecord) claimable() time.Time {
	if r.last.state == Claimed {
		return r.claimed.expires
	}
	return r.due
}

// startClaim begins a claim. It counts the one before as lost if that was not
// settled.
func (r *memRecord) startClaim(c memClaim) {
	if r.last.state == Claimed {
		r.loseClaim()
	}
	r.begun = false
	if !r.suspect() {
		r.attempt++
	}
	r.fence++
	r.claimed = c
}

// loseClaim counts the claim as lost.
func (r *memRecord) loseClaim() {
	r.lost++
	if r.begun {
		r.crashes++
	}
	r.begun = false
}

// beginRun notes that a suspect's run begins, once for each claim.
func (r *memRecord) beginRun() {
	if r.suspect() && !r.begun {
		r.begun = true
		r.attempt++
	}
}

// isCounted reports whether the attempt of the claim was counted: that of a suspect
// is once its run has begun.
func (r *memRecord) isCounted() bool { return !r.suspect() || r.begun }

// settle ends the claim with an outcome, from which the given state came.
func (r *memRecord) settle(o Outcome, state State) {
	counted := r.isCounted()
	r.settled = memSettled{r.fence, state}
	r.reason = clipReason(o.Reason)
	if o.State == Waiting && o.Uncounted {
		if !counted {
			return // it stays suspect
		}
		r.attempt--
	}
	r.lost, r.crashes, r.begun = 0, 0, false
}

// claim returns the claim as its claimer gets it. That of a suspect whose run has
// not begun has a Delivery without Header, DedupKeys and Body.
func (r *memRecord) claim() Claim {
	c := Claim{Attempt: r.attempt, Crashes: r.crashes, Reason: r.reason, Fence: r.fence, Expires: r.claimed.expires, Suspect: r.suspect()}
	if r.isCounted() {
		c.Delivery = copyDelivery(r.d)
	} else {
		c.Attempt++
		c.Delivery = copyWithoutContents(r.d)
	}
	return c
}

// claimBytes is how many bytes of body the next claim of r hands over.
func (r *memRecord) claimBytes() int64 {
	if r.last.state == Claimed && r.lost+1 >= suspectAfter || r.suspect() {
		return 0
	}
	return int64(len(r.d.Body))
}

// coalesces reports whether the delivery supersedes older ones.
func (r *memRecord) coalesces() bool { return r.d.Coalesce.Quiet > 0 }

// copyDelivery returns a copy that shares only the Body.
func copyDelivery(d *Delivery) *Delivery {
	own := *d
	own.Header = d.Header.Clone()
	own.DedupKeys = slices.Clone(d.DedupKeys)
	return &own
}

// copyWithoutContents returns a copy without Header, DedupKeys, Body, NotBefore, Malformed
// and Unsigned.
func copyWithoutContents(d *Delivery) *Delivery {
	own := *d
	own.Header, own.DedupKeys, own.Body = nil, nil, nil
	own.NotBefore, own.Malformed, own.Unsigned = time.Time{}, "", ""
	return &own
}
