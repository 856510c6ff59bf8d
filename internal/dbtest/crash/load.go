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

// A load is the clients that call the receiver. Each sends one delivery after the
// other. Every second client uses an ordering key of its own.
type load struct {
	url      url.URL
	account  *account
	sender   webhook.Signer
	http     *http.Client
	inFlight atomic.Int64 // calls begun whose answer is not read
	refused  atomic.Int64 // calls answered otherwise than by 202

	clients sync.WaitGroup
	end     context.CancelFunc

	mu     sync.Mutex
	opened chan struct{} // closed while clients may begin a call
}

func newLoad(address string, a *account) *load {
	return &load{
		url:     url.URL{Scheme: "http", Host: address, Path: "/hooks"},
		account: a,
		sender:  signature(),
		http:    &http.Client{Timeout: wait.Timeout, Transport: &http.Transport{MaxIdleConnsPerHost: 1000}},
		opened:  make(chan struct{}),
	}
}

// start starts clients, which wait for open.
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
	case <-l.opened:
	default:
		close(l.opened)
	}
}

// shut keeps clients from beginning calls. Calls that have begun go on.
func (l *load) shut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.opened:
		l.opened = make(chan struct{})
	default:
	}
}

// stop ends the clients and returns when their calls have ended.
func (l *load) stop() {
	l.end()
	l.clients.Wait()
	l.http.CloseIdleConnections()
}

// waitOpen waits until calls may begin. It reports false when ctx ends.
func (l *load) waitOpen(ctx context.Context) bool {
	l.mu.Lock()
	gate := l.opened
	l.mu.Unlock()
	select {
	case <-gate:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// client sends deliveries until ctx ends. If one is not acknowledged, the client gives
// up with a probability of one third, or sends it again until it is. It sends some of
// the acknowledged ones again, as a sender does that has lost its state.
func (l *load) client(ctx context.Context, name, key string) {
	for n := 1; l.waitOpen(ctx); n++ {
		id := fmt.Sprintf("%s-%06d", name, n)
		l.account.send(id, key)
		acknowledged := l.call(ctx, id, key)
		for givesUp := rand.N(3) == 0; !acknowledged && !givesUp; acknowledged = l.call(ctx, id, key) {
			if wait.Part(ctx, 50*time.Millisecond) != nil || !l.waitOpen(ctx) {
				return
			}
		}
		if acknowledged && n%16 == 1 && l.waitOpen(ctx) {
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
