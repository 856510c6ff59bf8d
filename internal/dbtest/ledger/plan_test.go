package ledger

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A promise is what the inbox owes an event. It is also the delivery's type.
type promise string

const (
	plain promise = "ledger.plain" // to be run once
	keyed promise = "ledger.keyed" // and in the order of its key, one at a time
	burst promise = "ledger.burst" // or to be superseded by a newer one of its burst
)

// An event is something that a producer tells of, once or twice.
type event struct {
	name      string // the sender's id
	promise   promise
	key       string
	quiet     time.Duration // of a burst
	last      bool          // of its burst, which has a key of its own
	twice     bool          // sent two times, at once
	fails     int           // so many runs fail before the one that does not
	permanent bool          // that one fails for good
}

const (
	producers = 20
	workers   = 20
	// workersEach is how many of them claim together.
	workersEach = 5
	// keysEach is how many keys two neighbouring producers share.
	keysEach = 3
)

// plan returns what one of the producers sends, in order, the same each time.
func plan(producer, n int) []event {
	rng := rand.New(rand.NewPCG(uint64(producer), 0))
	events := make([]event, 0, n)
	add := func(e event) {
		e.name = fmt.Sprintf("event-%d-%06d", producer, len(events))
		e.permanent = rng.IntN(100) == 0
		e.twice = e.promise != burst && !e.permanent && rng.IntN(20) == 0
		switch dice := rng.IntN(100); {
		case dice < 10:
			e.fails = 1
		case dice < 12:
			e.fails = 2
		}
		events = append(events, e)
	}
	for len(events) < n {
		switch dice := rng.IntN(100); {
		case dice < 45:
			add(event{promise: plain})
		case dice < 94:
			add(event{promise: keyed, key: fmt.Sprintf("key-%d-%d", producer/2, rng.IntN(keysEach))})
		default:
			key := fmt.Sprintf("burst-%d-%06d", producer, len(events))
			quiet := time.Duration(1+rng.IntN(20)) * time.Millisecond
			for left := min(2+rng.IntN(6), n-len(events)); left > 0; left-- {
				add(event{promise: burst, key: key, quiet: quiet, last: left == 1})
			}
		}
	}
	return events
}

// marked reports whether the delivery has a dedup key, by which it is known
// again.
func (e event) marked() bool { return e.promise != burst }

// delivery is the event as the copy-th call tells of it.
func (e event) delivery(copy int) *webhook.Delivery {
	d := &webhook.Delivery{
		UID:         fmt.Sprintf("%s-%d", e.name, copy),
		Source:      "ledger",
		ID:          e.name,
		Type:        string(e.promise),
		OrderingKey: e.key,
		Coalesce:    webhook.Coalesce{Quiet: e.quiet},
		Body:        []byte(`{"name":"` + e.name + `"}`),
		ReceivedAt:  time.Now(),
	}
	if e.marked() {
		d.DedupKeys = []string{"id:" + e.name}
	}
	return d
}
