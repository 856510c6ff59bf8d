package inspect_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// A stream is the connection of a viewer of a live list. If it does not read, a Write
// returns when its deadline has come.
type stream struct {
	header http.Header
	stuck  bool

	mu       sync.Mutex
	text     bytes.Buffer
	times    []time.Time // of the updates
	deadline time.Time
}

func (s *stream) Header() http.Header { return s.header }
func (s *stream) WriteHeader(int)     {}
func (s *stream) Flush()              {}

func (s *stream) SetWriteDeadline(t time.Time) error {
	s.deadline = t
	return nil
}

func (s *stream) Write(text []byte) (int, error) {
	if s.stuck && bytes.HasPrefix(text, []byte("data:")) {
		time.Sleep(time.Until(s.deadline))
		return 0, os.ErrDeadlineExceeded
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if bytes.HasPrefix(text, []byte("data:")) {
		s.times = append(s.times, time.Now())
	}
	return s.text.Write(text)
}

// An updated is what the tests read of an update.
type updated struct {
	Deliveries []struct{ UID, Key, State, URL, Unsigned string }
	Gone       []string
	Dropped    int
	Missed     bool
	Error      string
}

// updates returns what the viewer has got.
func (s *stream) updates(t *testing.T) (list []updated) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for event := range strings.SplitSeq(s.text.String(), "\n\n") {
		if data, ok := strings.CutPrefix(event, "data: "); ok {
			var u updated
			if err := json.Unmarshal([]byte(data), &u); err != nil {
				t.Fatalf("%v: %q", err, data)
			}
			list = append(list, u)
		}
	}
	return list
}

// keys returns the ordering keys and states in the updates.
func keys(list []updated) (keys []string) {
	for _, u := range list {
		for _, d := range u.Deliveries {
			keys = append(keys, d.Key+" "+d.State)
		}
	}
	return keys
}

// watch opens a live list. It is closed when the test ends, or by leave, which returns
// when the handler has.
func (r *rig) watch(query string, stuck bool) (s *stream, leave func()) {
	s = &stream{header: make(http.Header), stuck: stuck}
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan struct{})
	mux := http.NewServeMux()
	mux.Handle("/debug/hooks/", r.Inspector)
	go func() {
		defer close(done)
		mux.ServeHTTP(s, r.request("GET", "api/live?"+query, "").WithContext(ctx))
	}()
	return s, func() {
		cancel()
		<-done
	}
}

func TestALiveListHasWhatIsThereAndThenWhatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.Inspector = r.inspector(onlyStore{r.inbox}, ann) // no Notifier: it is looked at each second
		old := r.put(delivery("old", "{}"))
		r.put(delivery("other", "{}")).Type = "x"
		all, leaveAll := r.watch("", false)
		waiting, leaveWaiting := r.watch("state=waiting&key=old", false)
		time.Sleep(1500 * time.Millisecond)
		r.settle(webhook.Dead, "no such order")
		time.Sleep(2 * time.Second)
		fresh := r.put(delivery("new", "{}"))
		time.Sleep(2 * time.Second)
		if err := r.inbox.Bury(t.Context(), fresh.UID, webhook.Note{By: "ann"}); err != nil { // without a claim
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		leaveAll()
		leaveWaiting()
		if d := cmp.Diff([]string{"old waiting", "other waiting", "old dead", "new waiting", "new dead"}, keys(all.updates(t))); d != "" {
			t.Errorf("all: -want +got\n%s", d)
		}
		got := waiting.updates(t)
		if d := cmp.Diff([]string{"old waiting"}, keys(got)); d != "" {
			t.Errorf("of a key and a state: -want +got\n%s", d)
		}
		if len(got) < 2 || cmp.Diff([]string{"delivery?uid=" + old.UID}, got[1].Gone) != "" {
			t.Errorf("what no longer matches: %+v", got)
		}
		if kind := all.header.Get("Content-Type"); kind != "text/event-stream" || !all.deadline.IsZero() {
			t.Errorf("Content-Type %q, and the deadline %v remains", kind, all.deadline)
		}
	})
}

func TestALiveListHasAtMostFourUpdatesASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		s, leave := r.watch("", false)
		for i := range 400 {
			r.put(delivery(fmt.Sprint(i), "{}"))
			time.Sleep(5 * time.Millisecond) // 200 a second, for 2 s
		}
		time.Sleep(2 * time.Second)
		leave()
		if n := len(keys(s.updates(t))); n != 400 {
			t.Errorf("%d deliveries, want 400", n)
		}
		for i, at := range s.times[1:] {
			if after := at.Sub(s.times[i]); after < 250*time.Millisecond {
				t.Errorf("update %d comes %v after the one before", i+1, after)
			}
		}
		if n := len(s.times); n < 7 || n > 10 {
			t.Errorf("%d updates in 2 s", n)
		}
	})
}

// A viewer that does not read must not delay others, nor who stores, and it is dropped.
func TestAViewerThatDoesNotReadDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.Inspector = r.inspector(onlyStore{r.inbox}, ann)
		var stuck []*stream
		for range 10 {
			s, _ := r.watch("", true)
			stuck = append(stuck, s)
		}
		s, leave := r.watch("", false)
		time.Sleep(1500 * time.Millisecond)
		began := time.Now()
		for i := range 300 {
			r.put(delivery(fmt.Sprint(i), "{}"))
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("to store took %v", took)
		}
		time.Sleep(time.Second)
		if n := len(keys(s.updates(t))); n != 100 {
			t.Errorf("the one that reads has got %d deliveries", n)
		}
		time.Sleep(6 * time.Second)
		synctest.Wait()
		for i, s := range stuck {
			if !s.deadline.IsZero() || len(s.updates(t)) > 0 {
				t.Errorf("viewer %d is still there", i)
			}
		}
		leave()
	})
}

func TestAViewerGetsTheNumberOfChangesThatItHasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.Inspector = r.inspector(onlyStore{r.inbox}, ann)
		s, leave := r.watch("", false)
		time.Sleep(1500 * time.Millisecond)
		r.fill(150)
		time.Sleep(time.Second)
		r.fill(1300)
		time.Sleep(time.Second)
		leave()
		got := s.updates(t)
		if len(got) != 2 || len(got[0].Deliveries) != 100 || got[0].Dropped != 50 || got[0].Missed || !got[1].Missed {
			t.Errorf("%d updates: %+.300v", len(got), got)
		}
		if first := got[0].Deliveries; first[0].Key != "50" || first[99].Key != "149" {
			t.Errorf("from %s to %s, want the newest", first[0].Key, first[99].Key)
		}
	})
}
