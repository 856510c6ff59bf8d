package standby

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
)

// The senders send deliveries, each to any receiver, again until one acknowledges it.
type senders struct {
	http http.Client
	stop context.CancelFunc
	all  sync.WaitGroup

	mu           sync.Mutex
	events       []event
	addresses    []string
	unhandledIDs map[string]bool // acknowledged, and not handled
	handledIDs   map[string]bool
	acknowledged int
	handled      int
	refused      int
	acked        time.Time     // the last 202
	gap          time.Duration // the longest time from one 202 to the next
	faults       []string      // answers and lines that there must not be
}

// newSenders returns senders for a number of receivers.
func newSenders(receivers int) *senders {
	return &senders{
		addresses: make([]string, receivers), unhandledIDs: make(map[string]bool), handledIDs: make(map[string]bool),
		http: http.Client{Timeout: wait.Timeout, Transport: &http.Transport{MaxIdleConnsPerHost: 100}},
	}
}

// move sets the address of a receiver.
func (s *senders) move(receiver int, address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addresses[receiver] = address
}

// start starts n senders, which give up when ctx ends. Every second one uses an ordering key
// of its own.
func (s *senders) start(ctx context.Context, n int) {
	var begins context.Context
	begins, s.stop = context.WithCancel(ctx)
	for i := range n {
		name, key := fmt.Sprintf("sender%02d", i), ""
		if i%2 == 0 {
			key = name
		}
		s.all.Go(func() { s.send(ctx, begins, i, name, key) })
	}
}

// end returns when what each sender has begun is acknowledged.
func (s *senders) end() {
	s.stop()
	s.all.Wait()
	s.http.CloseIdleConnections()
}

// send sends one delivery after the other until begins ends.
func (s *senders) send(ctx, begins context.Context, i int, name, key string) {
	for n := 1; begins.Err() == nil; n++ {
		id := fmt.Sprintf("%s-%06d", name, n)
		s.mu.Lock()
		s.events = append(s.events, event{time.Now(), sent, id, key})
		s.mu.Unlock()
		for try := i + n; !s.call(ctx, try, id, key); try++ {
			if wait.Part(ctx, 50*time.Millisecond) != nil {
				return
			}
		}
		s.mu.Lock()
		s.acknowledged++
		now := time.Now()
		if !s.acked.IsZero() {
			s.gap = max(s.gap, now.Sub(s.acked))
		}
		s.acked = now
		s.events = append(s.events, event{now, acknowledged, id, key})
		if !s.handledIDs[id] {
			s.unhandledIDs[id] = true
		}
		s.mu.Unlock()
	}
}

// call sends a delivery to a receiver and reports whether it was acknowledged.
func (s *senders) call(ctx context.Context, try int, id, key string) bool {
	s.mu.Lock()
	address := s.addresses[try%len(s.addresses)]
	s.mu.Unlock()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/hooks", strings.NewReader(id))
	if err != nil {
		return false
	}
	r.Header.Set("X-Delivery", id)
	r.Header.Set("X-Key", key)
	r.Header.Set("X-Token", string(token().Keys[0].Secret.Reveal()))
	answer, err := s.http.Do(r)
	if err == nil {
		_, err = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
	if err == nil && answer.StatusCode == http.StatusAccepted {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused++
	if err == nil && answer.StatusCode != http.StatusServiceUnavailable {
		s.faults = append(s.faults, fmt.Sprintf("the sender of %s got status %d", id, answer.StatusCode))
	}
	return false
}

// read notes a line that a worker printed.
func (s *senders) read(line string) {
	e, err := parseEvent(line)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.faults = append(s.faults, err.Error())
		return
	}
	s.events = append(s.events, e)
	if e.verb == handled {
		s.handled++
		s.handledIDs[e.id] = true
		delete(s.unhandledIDs, e.id)
	}
}

// counts returns how many deliveries were acknowledged, how many runs succeeded, and how many
// calls were answered otherwise than by 202.
func (s *senders) counts() (acknowledged, handled, refused int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acknowledged, s.handled, s.refused
}

// unhandled returns how many deliveries were acknowledged and not handled.
func (s *senders) unhandled() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.unhandledIDs)
}
