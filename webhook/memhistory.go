package webhook

import "container/list"

const (
	// eventsEach is how many failed attempts, and how many replays, a MemInbox keeps
	// of one delivery.
	eventsEach = 20
	// maxHistory bounds the bytes of all events, with eventBytes for each on top of
	// its texts.
	maxHistory = 16 << 20
	eventBytes = 256
)

// A memHistory holds the failed attempts and the replays of all deliveries of a
// MemInbox, oldest first. Beyond its bounds the oldest go first. The zero value is
// ready.
type memHistory struct {
	all   list.List // of *memEvent
	bytes int
}

// memEvents are the events of one kind and one delivery, oldest first.
type memEvents []*list.Element

// A memEvent is one of the events that of points to.
type memEvent struct {
	of    *memEvents
	value any // an Attempt or a Replay
	bytes int
}

// add appends an event to of. textBytes is the size of its texts.
func (h *memHistory) add(of *memEvents, value any, textBytes int) {
	if len(*of) == eventsEach {
		h.removeFirst(of)
	}
	e := &memEvent{of, value, eventBytes + textBytes}
	*of = append(*of, h.all.PushBack(e))
	for h.bytes += e.bytes; h.bytes > maxHistory; {
		h.removeFirst(h.all.Front().Value.(*memEvent).of)
	}
}

// removeFirst removes the oldest event of a list that has one.
func (h *memHistory) removeFirst(of *memEvents) {
	h.bytes -= h.all.Remove((*of)[0]).(*memEvent).bytes
	(*of)[0] = nil
	*of = (*of)[1:]
}

// remove removes all events of a list.
func (h *memHistory) remove(of *memEvents) {
	for len(*of) > 0 {
		h.removeFirst(of)
	}
}

// valuesOf returns the events as what they are.
func valuesOf[T any](events memEvents) (values []T) {
	for _, e := range events {
		values = append(values, e.Value.(*memEvent).value.(T))
	}
	return values
}
