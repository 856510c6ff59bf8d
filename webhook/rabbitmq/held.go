package rabbitmq

import (
	"maps"
	"slices"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/webhook"
)

// A held message is one that the server has given out and that is not acknowledged.
type held struct {
	d         *webhook.Delivery
	size      int64
	tag       uint64 // for the acknowledgement
	published int64  // in microseconds since 1970
	fence     int64  // the fences of its claims are higher
	claimed   bool
	expires   time.Time // of the last claim
	ending    *ending   // its end is being sent to the server
}

// read decodes a message.
func read(m *amqp.Delivery) (*held, error) {
	d := new(webhook.Delivery)
	if err := d.UnmarshalBinary(m.Body); err != nil {
		return nil, err
	}
	h := &held{d: d, size: int64(len(m.Body)), tag: m.DeliveryTag, published: d.ReceivedAt.UnixMicro()}
	if at, ok := m.Headers[publishedHeader].(int64); ok {
		h.published = at
	}
	return h, nil
}

// before reports whether h was published before another one.
func (h *held) before(other *held) int {
	switch {
	case h.published != other.published:
		if h.published < other.published {
			return -1
		}
		return 1
	case h.d.UID < other.d.UID:
		return -1
	case h.d.UID > other.d.UID:
		return 1
	}
	return 0
}

// delivery returns a copy for a claim.
func (h *held) delivery() *webhook.Delivery {
	d := *h.d
	d.DedupKeys = slices.Clone(d.DedupKeys)
	if d.Header != nil {
		d.Header = maps.Clone(d.Header)
		for name, values := range d.Header {
			d.Header[name] = slices.Clone(values)
		}
	}
	return &d
}

// lane names the ordering key, or a message that has none.
func (h *held) lane() string {
	if h.d.OrderingKey == "" {
		return "\x00" + h.d.UID
	}
	return h.d.OrderingKey + "\x00" + h.d.Source
}

// sameBurst reports whether the deliveries have one Source, ordering key and type.
func (h *held) sameBurst(d *webhook.Delivery) bool {
	return h.d.OrderingKey != "" && h.d.OrderingKey == d.OrderingKey && h.d.Source == d.Source && h.d.Type == d.Type
}

// endedClaims remembers the states of the last claims that were settled, so that they can be
// settled again.
type endedClaims struct {
	states map[endedClaim]webhook.State
	order  []endedClaim
}

type endedClaim struct {
	uid   string
	fence int64
}

const maxEnded = 4096

func (e *endedClaims) add(uid string, fence int64, state webhook.State) {
	if e.states == nil {
		e.states = make(map[endedClaim]webhook.State)
	}
	key := endedClaim{uid, fence}
	if _, known := e.states[key]; !known {
		e.order = append(e.order, key)
	}
	e.states[key] = state
	if len(e.order) > maxEnded {
		delete(e.states, e.order[0])
		e.order = e.order[1:]
	}
}

func (e *endedClaims) get(uid string, fence int64) (webhook.State, bool) {
	state, ok := e.states[endedClaim{uid, fence}]
	return state, ok
}
