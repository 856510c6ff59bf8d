package webhook

import (
	"container/heap"
	"slices"
	"time"
)

// A memRecord is one delivery in a MemInbox.
type memRecord struct {
	d               *Delivery
	fate            *memFate
	seq             int64
	origin          int64 // seq of the first run
	attempt         int   // runs counted
	lost            int   // claims in a row that ended without a settlement
	crashes         int   // runs in a row that Begin noted and that were lost
	begun           bool
	reason          string // of the last outcome
	fence           int64
	settled         memSettled
	revived         int
	due             time.Time // when it may be claimed: if Claimed, the end of its lease
	burst           time.Time // when its burst began
	ended           time.Time // when it finished last
	retryOutOfOrder bool      // lets younger ones pass while it is not due
	place           int       // in the heap that its state puts it in
}

// A memFate outlives its record in the dedup keys that point to it.
type memFate struct {
	uid, senderID string
	state         State
}

type (
	memKey    struct{ source, key string }
	memMark   struct{ source, mark string }
	memMarked struct {
		mark memMark
		fate *memFate
		at   time.Time
	}
)

func (r *memRecord) key() memKey { return memKey{r.d.Source, r.d.OrderingKey} }

// A memSettled is what came of the last claim that was settled.
type memSettled struct {
	fence int64
	state State
}

// suspectAfter is how many lost claims in a row make the next one suspect.
const suspectAfter = 2

func (r *memRecord) suspect() bool { return r.lost >= suspectAfter }

// take begins a claim that lasts until the given time.
func (r *memRecord) take(until time.Time) {
	if r.fate.state == Claimed {
		r.lost++
		if r.begun {
			r.crashes++
		}
	}
	r.begun = false
	if !r.suspect() {
		r.attempt++
	}
	r.fence++
	r.due = until
}

// begin notes that a suspect's run begins, once for each claim.
func (r *memRecord) begin() {
	if r.suspect() && !r.begun {
		r.begun = true
		r.attempt++
	}
}

// unclaim forgets what the claim that is being settled leaves behind.
func (r *memRecord) unclaim(o Outcome, came State) {
	unbegun := r.suspect() && !r.begun
	r.settled = memSettled{r.fence, came}
	r.reason = clipReason(o.Reason)
	if unbegun && o.State == Waiting && o.Uncounted {
		return
	}
	if o.State == Waiting && o.Uncounted {
		r.attempt--
	}
	r.lost, r.crashes, r.begun = 0, 0, false
}

// claim returns the claim as its claimer gets it: of a suspect only what says
// which it is.
func (r *memRecord) claim() Claim {
	c := Claim{Attempt: r.attempt, Crashes: r.crashes, Reason: r.reason, Fence: r.fence, Expires: r.due, Suspect: r.suspect()}
	if c.Suspect && !r.begun {
		c.Attempt++
		d := *r.d
		d.Header, d.DedupKeys, d.Body = nil, nil, nil
		c.Delivery = &d
		return c
	}
	c.Delivery = copyDelivery(r.d)
	return c
}

// load is how many bytes of body a claim of r hands over.
func (r *memRecord) load() int64 {
	if r.fate.state == Claimed && r.lost+1 >= suspectAfter || r.suspect() {
		return 0
	}
	return int64(len(r.d.Body))
}

// coalesces reports whether the delivery takes the place of older ones.
func (r *memRecord) coalesces() bool { return r.d.Coalesce.Quiet > 0 }

// A memQueue holds the unfinished records of one ordering key; only the first
// is Waiting or Claimed.
type memQueue struct{ items []*memRecord }

// advance brings the record that should go next to the front: the first that
// does not yield, or of those that all do the first due.
func (q *memQueue) advance(now time.Time) {
	next := 0
	for i, rec := range q.items {
		if !rec.retryOutOfOrder || !rec.due.After(now) {
			next = i
			break
		}
		if rec.due.Before(q.items[next].due) {
			next = i
		}
	}
	rec := q.items[next]
	copy(q.items[1:next+1], q.items[:next])
	q.items[0] = rec
}

func (q *memQueue) remove(rec *memRecord) {
	if q.items[0] == rec { // nearly always; does not move a long queue
		q.items[0] = nil
		q.items = q.items[1:]
		return
	}
	q.items = slices.DeleteFunc(q.items, func(r *memRecord) bool { return r == rec })
}

// A memHeap holds the Waiting and Claimed records of one type, the first due
// on top, of equals the first put. Its records know their place in it.
type memHeap struct{ items []*memRecord }

func (r *memRecord) before(other *memRecord) bool {
	if r.due.Equal(other.due) {
		return r.seq < other.seq
	}
	return r.due.Before(other.due)
}

func (h *memHeap) add(rec *memRecord)    { heap.Push((*memHeapOps)(h), rec) }
func (h *memHeap) remove(rec *memRecord) { heap.Remove((*memHeapOps)(h), rec.place) }
func (h *memHeap) fix(rec *memRecord)    { heap.Fix((*memHeapOps)(h), rec.place) }

// memHeapOps is the face that container/heap wants.
type memHeapOps memHeap

func (h *memHeapOps) Len() int           { return len(h.items) }
func (h *memHeapOps) Less(i, j int) bool { return h.items[i].before(h.items[j]) }
func (h *memHeapOps) Swap(i, j int) {
	h.items[i], h.items[j] = h.items[j], h.items[i]
	h.items[i].place, h.items[j].place = i, j
}

func (h *memHeapOps) Push(x any) {
	rec := x.(*memRecord)
	rec.place = len(h.items)
	h.items = append(h.items, rec)
}

func (h *memHeapOps) Pop() any {
	last := len(h.items) - 1
	rec := h.items[last]
	h.items[last] = nil
	h.items = h.items[:last]
	return rec
}
