package ledger_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A promise is what the inbox must do with an event. It is also the delivery's
// type.
type promise string

const (
	plain promise = "ledger.plain" // run it once
	keyed promise = "ledger.keyed" // run it once, alone of its key, and in order
	burst promise = "ledger.burst" // run it once, or supersede it by a newer one of its burst
)

// An event is what a producer sends, once or twice.
type event struct {
	name      string // the sender's id
	promise   promise
	key       string
	quiet     time.Duration // of a burst
	last      bool          // of its burst, which has a key of its own
	twice     bool          // it is sent two times, concurrently
	fails     int           // runs that fail before the last one
	permanent bool          // the last run fails for good
}

const (
	producers = 20
	workers   = 20
	// concurrency is that of one Worker.
	concurrency = 5
	// sharedKeys is how many ordering keys each pair of producers has.
	sharedKeys = 3
)

// plan returns what one of the producers sends, in order. It is the same each
// time.
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
			add(event{promise: keyed, key: fmt.Sprintf("key-%d-%d", producer/2, rng.IntN(sharedKeys))})
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

// hasDedupKey reports whether a second delivery of the event is a duplicate.
func (e event) hasDedupKey() bool { return e.promise != burst }

// delivery returns the n-th copy of the event.
func (e event) delivery(n int) *webhook.Delivery {
	d := &webhook.Delivery{
		UID:         fmt.Sprintf("%s-%d", e.name, n),
		Source:      "ledger",
		ID:          e.name,
		Type:        string(e.promise),
		OrderingKey: e.key,
		Coalesce:    webhook.Coalesce{Quiet: e.quiet},
		Body:        []byte(`{"name":"` + e.name + `"}`),
		ReceivedAt:  time.Now(),
	}
	if e.hasDedupKey() {
		d.DedupKeys = []string{"id:" + e.name}
	}
	return d
}
