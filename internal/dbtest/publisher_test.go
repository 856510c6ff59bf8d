package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// calls counts what the endpoints of Publishers have received, by event and host.
type calls struct {
	mu   sync.Mutex
	got  map[string]int
	body map[string]string
	fail map[string]bool // hosts that answer 410
}

func (c *calls) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.got == nil {
		c.got, c.body = make(map[string]int), make(map[string]string)
	}
	key := r.Header.Get("Webhook-Id") + " " + r.URL.Host
	code := http.StatusOK
	if c.fail[r.URL.Host] {
		code = http.StatusGone
	} else {
		c.got[key]++
	}
	c.body[key] = string(body)
	return &http.Response{StatusCode: code, Header: make(http.Header), Body: http.NoBody}, nil
}

func (c *calls) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.got)
}

// publisher returns a Publisher on the database of an inbox.
func publisher(t *testing.T, in *sqlinbox.Inbox, c *calls) *publish.Publisher {
	t.Helper()
	p := publish.New(in, publishStore(t, in))
	p.Transport, p.Logger = c, slog.New(slog.DiscardHandler)
	return p
}

// startPublisher runs it until the end of the test.
func startPublisher(t *testing.T, p *publish.Publisher) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestAnEventIsPublishedWithTheTransaction(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		run(t, db, "CREATE TABLE effects (uid TEXT)")
		var c calls
		p := publisher(t, in, &c)
		_, err := p.Create(t.Context(), publish.Endpoint{ID: "a", URL: "https://a/", Events: []string{"*"}})
		must(t, err)
		startPublisher(t, p)
		publishIn := func(fail error) (id string, err error) {
			err = in.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
				if err := insertEffect(ctx, tx); err != nil {
					return err
				}
				id, err = p.PublishTx(ctx, tx, publish.Event{Type: "comment.created", Once: "comment 1", Payload: "hello"})
				return errors.Join(err, fail)
			})
			return id, err
		}
		stop := errors.New("stop")
		if _, err := publishIn(stop); !errors.Is(err, stop) {
			t.Errorf("Write = %v, want the error of the func", err)
		}
		first, err := publishIn(nil)
		must(t, err)
		again, err := publishIn(nil)
		if err != nil || again != first {
			t.Errorf("a second event with the same Once = %s, %v, want %s", again, err, first)
		}
		must(t, wait.Until(t.Context(), "the event has arrived", func() bool { return c.count() > 0 }))
		if n := count(t, db, "effects"); n != 2 {
			t.Errorf("%d rows are committed, want 2", n)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.got) != 1 || c.got[first+" a"] != 1 || c.body[first+" a"] != "hello" {
			t.Errorf("received %v, want %s once: the transaction that failed has published nothing", c.got, first)
		}
	})
}

func TestTwoProcessesSendEachEventOnce(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		const events, endpoints = 40, 5
		driver, dsn := e.store(t)
		first, _ := e.reopen(t, driver, dsn)
		second, _ := e.reopen(t, driver, dsn)
		var c calls
		publishers := []*publish.Publisher{publisher(t, first, &c), publisher(t, second, &c)}
		for i := range endpoints {
			_, err := publishers[0].Create(t.Context(), publish.Endpoint{ID: fmt.Sprint(i), URL: fmt.Sprintf("https://%d/", i), Events: []string{"*"}})
			must(t, err)
		}
		for _, p := range publishers {
			startPublisher(t, p)
		}
		large := strings.Repeat("x", 40<<10) // of five endpoints more than is copied
		for i := range events {
			_, err := publishers[i%2].Publish(t.Context(), publish.Event{Type: "comment.created", Payload: large})
			must(t, err)
		}
		must(t, wait.Until(t.Context(), "all have arrived", func() bool { return c.count() == events*endpoints }))
		for i := range endpoints {
			must(t, wait.Until(t.Context(), "all attempts are recorded", func() bool { return attemptsOf(t, publishers[1], fmt.Sprint(i)) == events }))
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for key, n := range c.got {
			if n != 1 || c.body[key] != large {
				t.Errorf("%s was received %d times with %d bytes, want once", key, n, len(c.body[key]))
			}
		}
	})
}

func attemptsOf(t *testing.T, p *publish.Publisher, endpoint string) (n int) {
	t.Helper()
	for _, err := range p.Attempts(t.Context(), publish.AttemptFilter{Endpoint: endpoint}) {
		must(t, err)
		n++
	}
	return n
}

func TestResendFillsTheGapOnEachDatabase(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		c := calls{fail: map[string]bool{"a": true}}
		p := publisher(t, in, &c)
		_, err := p.Create(t.Context(), publish.Endpoint{ID: "a", URL: "https://a/", Events: []string{"*"}})
		must(t, err)
		startPublisher(t, p)
		since := time.Now().Add(-time.Minute)
		isDisabled := func() bool {
			e, err := p.Get(t.Context(), "a")
			must(t, err)
			return e.State == publish.Disabled
		}
		publishOne := func() {
			_, err := p.Publish(t.Context(), publish.Event{Type: "a"})
			must(t, err)
		}
		publishOne()
		must(t, wait.Until(t.Context(), "it is disabled", isDisabled))
		publishOne()
		publishOne()
		isSettled := func() bool {
			n, err := in.Pending(t.Context(), 10)
			must(t, err)
			return n == 0
		}
		must(t, wait.Until(t.Context(), "nothing waits", isSettled))
		c.mu.Lock()
		c.fail = nil
		c.mu.Unlock()
		_, err = p.Resume(t.Context(), "a")
		must(t, err)
		for _, want := range []int{3, 0} {
			n, err := p.Resend(t.Context(), "a", since, webhook.Note{By: "test"})
			if err != nil || n != want {
				t.Errorf("Resend = %d, %v, want %d", n, err, want)
			}
		}
		must(t, wait.Until(t.Context(), "all have arrived", func() bool { return c.count() == 3 }))
		must(t, p.Delete(t.Context(), "a"))
	})
}
