package publish

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/internal/bench/receive"
	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// concurrency is how many requests each implementation has at once.
	concurrency = 64
	// publishers is how many publish at once.
	publishers = 64
	// eventType is that of all events, and bodySize the size of their payloads.
	eventType = "comment.created"
	bodySize  = 2048
)

// An audience is who gets the events.
type audience struct {
	good    int  // endpoints that answer
	hanging bool // there is one more, which does not
}

func (a audience) all() int {
	if a.hanging {
		return a.good + 1
	}
	return a.good
}

// lanes is how many requests at a time an endpoint may have: as many as let all slots be
// used, and the default of a Publisher at least.
func (a audience) lanes() int { return max(4, concurrency/a.all()) }

// warmUp is how many events are delivered before those that are measured: as many as
// open all connections and end the slow start of each endpoint.
func (a audience) warmUp() int { return max(2, 2*concurrency/a.all()) }

// An impl is one way to publish events.
type impl struct {
	name    string
	kind    receive.Kind
	backend env.Backend
	open    func(ctx context.Context, at string, s *sink, a audience) (*opened, error)
}

// An opened is an impl with its store.
type opened struct {
	// publish stores that many events. It is nil if nothing is stored.
	publish func(ctx context.Context, events int) error
	// deliver works until that many deliveries are made and recorded, and returns how long
	// that took.
	deliver func(ctx context.Context, deliveries int) (time.Duration, error)
	// settled counts the deliveries that need no more work. It is nil if nothing is stored.
	settled func(ctx context.Context) (int, error)
	close   func() error
}

const (
	loopName  = "http.Client loop"
	floorName = "Worker that posts and records"
	oursName  = "hookhouse Publisher"
	riverName = "River Client that posts"
)

// impls are all that are measured.
var impls = []impl{
	{loopName, receive.Floor, env.Memory, openLoop},
	{floorName, receive.Floor, env.SQLite, openFloor(env.SQLite)},
	{oursName, receive.Ours, env.SQLite, openOurs(env.SQLite)},
	{riverName, receive.Peer, env.PostgreSQL, openRiver},
	{floorName, receive.Floor, env.PostgreSQL, openFloor(env.PostgreSQL)},
	{oursName, receive.Ours, env.PostgreSQL, openOurs(env.PostgreSQL)},
}

// body is the payload of all events.
var body = func() []byte {
	text := fmt.Appendf(nil, `{"type":%q,"comment":"`, eventType)
	for len(text) < bodySize-2 {
		text = append(text, 'x')
	}
	return append(text, `"}`...)
}()

// A poster sends signed requests, as a program without a Publisher does.
type poster struct {
	client http.Client
	signer *webhook.StandardWebhooks
}

func newPoster() (*poster, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy, t.MaxIdleConns, t.MaxIdleConnsPerHost = nil, 4*concurrency, concurrency
	p := &poster{http.Client{Transport: t, Timeout: 15 * time.Second}, &webhook.StandardWebhooks{Keys: webhook.Keys(secret)}}
	return p, p.signer.Validate()
}

// post sends a request and returns the status and the beginning of the answer.
func (p *poster) post(ctx context.Context, url, id string, body []byte) (status int, head []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Webhook-Id", id)
	if err := p.signer.Sign(r, body); err != nil {
		return 0, nil, err
	}
	resp, err := p.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	if head, err = io.ReadAll(io.LimitReader(resp.Body, 1<<10)); err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", resp.StatusCode)
	}
	return resp.StatusCode, head, err
}

// openLoop posts from as many goroutines, and stores nothing.
func openLoop(_ context.Context, _ string, s *sink, a audience) (*opened, error) {
	p, err := newPoster()
	if err != nil {
		return nil, err
	}
	return &opened{
		deliver: func(ctx context.Context, n int) (time.Duration, error) {
			start := time.Now()
			err := pace.Together(concurrency, n, func(i int) error {
				_, _, err := p.post(ctx, s.good(i%a.good), fmt.Sprint("msg_", i), body)
				return err
			})
			return time.Since(start), err
		},
		close: func() error { p.client.CloseIdleConnections(); return nil },
	}, nil
}
