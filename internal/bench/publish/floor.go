package publish

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/internal/bench/schema"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

const (
	floorSource  = "floor"
	floorType    = "floor.delivery"
	targetHeader = "Target" // number of the endpoint
)

// openFloor is an inbox and a Worker whose callback posts and records. The deliveries have
// the ordering keys that a Publisher gives them, and the attempts go where it stores them,
// with the same group commit. What it lacks is what a Publisher is for: events, the look-up
// of endpoints, and that no endpoint delays another.
func openFloor(b env.Backend) func(context.Context, string, *sink, audience) (*opened, error) {
	return func(ctx context.Context, at string, s *sink, a audience) (*opened, error) {
		h, err := openHouse(ctx, b, at)
		if err != nil {
			return nil, err
		}
		p, err := newPoster()
		if err != nil {
			return nil, errors.Join(err, h.Store.Close())
		}
		var made atomic.Pointer[counter]
		w := webhook.NewWorker(h.Inbox, only(floorType, func(ctx context.Context, d *webhook.Delivery) error {
			target, err := strconv.Atoi(d.Header.Get(targetHeader))
			if err != nil {
				return err
			}
			attempt := publish.Attempt{Endpoint: id(target), Event: d.ID, UID: d.UID, Type: eventType, Number: 1, At: time.Now(), Result: publish.Delivered}
			status, head, err := p.post(ctx, s.good(target), d.ID, d.Body)
			if err != nil {
				attempt.Result, attempt.Reason = publish.Failed, err.Error()
			}
			attempt.Took, attempt.Status, attempt.Response = time.Since(attempt.At), status, string(head)
			if _, err := h.endpoints.Record(ctx, attempt); err != nil {
				return err
			}
			if err == nil {
				made.Load().add()
			}
			return err
		}))
		w.Concurrency, w.Logger = concurrency, h.Logger
		var events atomic.Int64
		return &opened{
			publish: func(ctx context.Context, n int) error {
				first := int(events.Add(int64(n))) - n
				return pace.Together(publishers, n*a.good, func(i int) error { return h.Put(ctx, floorDelivery(first+i/a.good, i%a.good, a)) })
			},
			deliver: func(ctx context.Context, n int) (time.Duration, error) {
				made.Store(newCounter(n))
				return runUntil(ctx, made.Load(), w.Run, s, audience{good: a.good})
			},
			settled: schema.Count(h.DB, schema.Settled),
			close: func() error {
				p.client.CloseIdleConnections()
				return h.Store.Close()
			},
		}, nil
	}
}

func only(typ string, f webhook.HandlerFunc) webhook.Handler {
	var mux webhook.Mux
	mux.Route(typ, f)
	return &mux
}

// floorDelivery is a call of an endpoint, in one of its lanes.
func floorDelivery(event, target int, a audience) *webhook.Delivery {
	d := webhook.NewDelivery(floorSource, floorType, "", body)
	d.ID = fmt.Sprint("msg_", event)
	lane := fnv.New32a()
	_, _ = lane.Write([]byte(d.ID))
	d.OrderingKey = fmt.Sprintf("%s/%d", id(target), int(lane.Sum32())%a.lanes())
	d.Header = http.Header{targetHeader: {strconv.Itoa(target)}}
	return d
}
