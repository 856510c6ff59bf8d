package crash

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
)

// A load is the clients that call the receiver. Each sends one delivery after
// the other; every second one gives its own a key, which no other uses.
type load struct {
	url      url.URL
	account  *account
	sender   webhook.Signer
	http     *http.Client
	inFlight atomic.Int64 // calls begun whose answer is not read
	refused  atomic.Int64 // calls answered otherwise than by 202

	clients sync.WaitGroup
	end     context.CancelFunc

	mu   sync.Mutex
	gate chan struct{} // closed while clients may begin a call
}

func newLoad(address string, a *account) *load {
	return &load{
		url:     url.URL{Scheme: "http", Host: address, Path: "/hooks"},
		account: a,
		sender:  signature(),
		http:    &http.Client{Timeout: wait.Patience, Transport: &http.Transport{MaxIdleConnsPerHost: 1000}},
		gate:    make(chan struct{}),
	}
}

// start lets so many clients wait for open.
func (l *load) start(ctx context.Context, clients int) {
	ctx, l.end = context.WithCancel(ctx)
	for n := range clients {
		name, key := fmt.Sprintf("client%02d", n), ""
		if n%2 == 0 {
			key = name
		}
		l.clients.Go(func() { l.client(ctx, name, key) })
	}
}

// open lets clients begin calls, until shut.
func (l *load) open() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.gate:
	default:
		close(l.gate)
	}
}

// shut lets clients begin no more calls; those under way go on.
func (l *load) shut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.gate:
		l.gate = make(chan struct{})
	default:
	}
}

// stop returns when the calls under way have ended. No more are begun.
func (l *load) stop() {
	l.end()
	l.clients.Wait()
	l.http.CloseIdleConnections()
}

// enter waits until calls may begin. It reports false at the end of ctx.
func (l *load) enter(ctx context.Context) bool {
	l.mu.Lock()
	gate := l.gate
	l.mu.Unlock()
	select {
	case <-gate:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// client sends deliveries until ctx ends. Of those that are not acknowledged it
// gives up one in three, and sends the others until they are. Some that are it
// sends once more, as a sender does that lost its own books.
func (l *load) client(ctx context.Context, name, key string) {
	for n := 1; l.enter(ctx); n++ {
		id := fmt.Sprintf("%s-%06d", name, n)
		l.account.send(id, key)
		acknowledged := l.call(ctx, id, key)
		for givesUp := rand.N(3) == 0; !acknowledged && !givesUp; acknowledged = l.call(ctx, id, key) {
			if pause(ctx, 50*time.Millisecond) != nil || !l.enter(ctx) {
				return
			}
		}
		if acknowledged && n%16 == 1 && l.enter(ctx) {
			l.call(ctx, id, key)
		}
	}
}

// call sends a delivery and reports whether it was acknowledged. The end of ctx
// does not interrupt it.
func (l *load) call(ctx context.Context, id, key string) bool {
	body := []byte(id + "\n" + strings.Repeat("the same again, ", 100+rand.N(100)))
	r := &http.Request{
		Method:        http.MethodPost,
		URL:           &l.url,
		Header:        http.Header{"X-Delivery": {id}, "X-Key": {key}},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
	}
	_ = l.sender.Sign(r, body) // it has a key
	l.inFlight.Add(1)
	defer l.inFlight.Add(-1)
	answer, err := l.http.Do(r.WithContext(context.WithoutCancel(ctx)))
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return false // cut off
	}
	if answer.StatusCode != http.StatusAccepted {
		l.refused.Add(1)
		return false
	}
	l.account.acknowledge(id, bytes.Contains(text, []byte(`"duplicate":true`)))
	return true
}
