package standby

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/ledger"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
)

// A detail is what the account notes of a delivery.
type detail struct{ settled bool }

// The senders send deliveries, each to any receiver, again until one acknowledges it. They
// keep the account.
type senders struct {
	http http.Client
	stop context.CancelFunc
	all  sync.WaitGroup

	mu           sync.Mutex
	book         ledger.Book[detail]
	addresses    []string
	acknowledged int
	handled      int
	refused      int
	acked        time.Time     // the last 202
	gap          time.Duration // the longest time from one 202 to the next
}

// newSenders returns senders for a number of receivers.
func newSenders(receivers int) *senders {
	return &senders{
		book: ledger.NewBook[detail](), addresses: make([]string, receivers),
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
		e := s.book.Send(id, key)
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
		s.book.Acknowledge(e)
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
		if err == nil && answer.StatusCode == http.StatusAccepted {
			return true
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused++
	return false
}

// read notes a line that a worker printed.
func (s *senders) read(line string) {
	verb, id, _ := strings.Cut(line, " ")
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.book.Entry(id)
	if e == nil {
		s.book.Faultf("%q: nothing of that id was sent", line)
		return
	}
	switch verb {
	case begun:
		if s.book.Begin(e); e.Detail.settled {
			s.book.Faultf("%s ran again after it was settled", id)
		}
	case handled:
		s.handled++
		s.book.Handle(e)
	case settled:
		e.Detail.settled = true
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
func (s *senders) unhandled() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e := range s.book.Entries() {
		if e.Acknowledged() && !e.Handled {
			n++
		}
	}
	return n
}
