package publish

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/internal/bench/schema"
	"github.com/hookhouse/hookhouse/webhook/addrguard"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/publish/sqlstore"
)

// A house is a Publisher with its database.
type house struct {
	*env.Store
	*publish.Publisher
	endpoints *sqlstore.Store
}

// openHouse opens a store with the tables of both. The Publisher may call this host.
func openHouse(ctx context.Context, b env.Backend, at string) (*house, error) {
	store, err := b.Open(ctx, at)
	if err != nil {
		return nil, err
	}
	h := &house{Store: store, endpoints: sqlstore.New(store.Inbox)}
	h.endpoints.Logger = slog.New(slog.DiscardHandler) // secrets in clear text are wanted here
	if err := h.endpoints.Migrate(ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	h.Publisher = publish.New(store.Inbox, h.endpoints)
	h.Publisher.Guard = &addrguard.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, InsecureHTTP: true}
	h.Publisher.Concurrency = concurrency
	h.Publisher.Logger = slog.New(slog.DiscardHandler)
	return h, nil
}

// create registers an endpoint.
func (h *house) create(ctx context.Context, id, url string, lanes int) error {
	_, err := h.Create(ctx, publish.Endpoint{ID: id, URL: url, Events: []string{eventType}, Secrets: []publish.Secret{{Secret: secret}}, Lanes: lanes})
	return err
}

// openOurs is a Publisher, as its documentation shows it.
func openOurs(b env.Backend) func(context.Context, string, *sink, audience) (*opened, error) {
	return func(ctx context.Context, at string, s *sink, a audience) (*opened, error) {
		h, err := openHouse(ctx, b, at)
		if err != nil {
			return nil, err
		}
		err = pace.Together(publishers, a.good, func(i int) error { return h.create(ctx, id(i), s.good(i), a.lanes()) })
		if err == nil && a.hanging {
			err = h.create(ctx, "hangs", s.hang(), a.lanes())
		}
		if err != nil {
			return nil, errors.Join(err, h.Store.Close())
		}
		var made atomic.Pointer[counter]
		h.Observer = &publish.Observer{Attempted: func(_ context.Context, _ *publish.Endpoint, a publish.Attempt) {
			if a.Result == publish.Delivered {
				made.Load().add()
			}
		}}
		return &opened{
			publish: func(ctx context.Context, n int) error {
				return pace.Together(publishers, n, func(int) error {
					_, err := h.Publish(ctx, publish.Event{Type: eventType, Payload: body})
					return err
				})
			},
			deliver: func(ctx context.Context, n int) (time.Duration, error) {
				made.Store(newCounter(n))
				return runUntil(ctx, made.Load(), h.Run, s, a)
			},
			settled: schema.Count(h.DB, schema.Settled+" AND type = 'publish.delivery'"),
			close:   h.Store.Close,
		}, nil
	}
}

// id is that of an endpoint.
func id(i int) string { return "ep" + strconv.Itoa(i) }

// A counter notes when n deliveries are made.
type counter struct {
	left atomic.Int64
	all  chan struct{} // closed then
}

func newCounter(n int) *counter {
	c := &counter{all: make(chan struct{})}
	c.left.Store(int64(n))
	return c
}

func (c *counter) add() {
	if c.left.Add(-1) == 0 {
		close(c.all)
	}
}

// runUntil runs until all deliveries are made, and returns how long that took. What hangs
// then is let go, so that run ends.
func runUntil(ctx context.Context, made *counter, run func(context.Context) error, s *sink, a audience) (took time.Duration, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	start := time.Now()
	go func() { ended <- run(ctx) }()
	select {
	case <-made.all:
		took = time.Since(start)
		stop()
	case err := <-ended:
		return 0, errors.Join(err, errors.New("it ended before all was delivered"))
	}
	if a.hanging {
		err = s.letGo()
	}
	if err = errors.Join(err, <-ended); err == nil && a.hanging {
		err = s.hangAgain()
	}
	return took, err
}
