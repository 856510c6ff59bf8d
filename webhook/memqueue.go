package webhook

import (
	"container/heap"
	"slices"
	"time"
)

// A memQueue holds the unfinished records of one ordering key; only the first
// is Waiting or Claimed.
type memQueue struct{ items []*memRecord }

// advance moves the record that runs next to the front: the first that is not
// retried out of order, or if all are the first due.
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

// A memHeapKey says which records are in a heap.
type memHeapKey struct {
	typ      string
	replayed bool
}

func (r *memRecord) heapKey() memHeapKey { return memHeapKey{r.d.Type, r.replayed} }

// A memHeap holds the Waiting and Claimed records of one memHeapKey. The first that may
// be claimed is on top, among equals the one with the lowest seq. Its records know
// their position in it.
type memHeap struct{ items []*memRecord }

// before reports whether r is claimed before another that may be claimed too.
func (r *memRecord) before(other *memRecord) bool {
	if r.replayed != other.replayed {
		return other.replayed
	}
	if a, b := r.claimable(), other.claimable(); !a.Equal(b) {
		return a.Before(b)
	}
	return r.seq < other.seq
}

func (h *memHeap) add(rec *memRecord)    { heap.Push((*memHeapOps)(h), rec) }
func (h *memHeap) remove(rec *memRecord) { heap.Remove((*memHeapOps)(h), rec.position) }
func (h *memHeap) fix(rec *memRecord)    { heap.Fix((*memHeapOps)(h), rec.position) }

// memHeapOps implements [heap.Interface].
type memHeapOps memHeap

func (h *memHeapOps) Len() int           { return len(h.items) }
func (h *memHeapOps) Less(i, j int) bool { return h.items[i].before(h.items[j]) }
func (h *memHeapOps) Swap(i, j int) {
	h.items[i], h.items[j] = h.items[j], h.items[i]
	h.items[i].position, h.items[j].position = i, j
}

func (h *memHeapOps) Push(x any) {
	rec := x.(*memRecord)
	rec.position = len(h.items)
	h.items = append(h.items, rec)
}

func (h *memHeapOps) Pop() any {
	last := len(h.items) - 1
	rec := h.items[last]
	h.items[last] = nil
	h.items = h.items[:last]
	return rec
}
