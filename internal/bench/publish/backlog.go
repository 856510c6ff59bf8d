package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/schema"
	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// otherEndpoints is how many endpoints have deliveries beside the one with the backlog.
	otherEndpoints = 100
	// claimsInPass is how often each table is claimed from in a pass.
	claimsInPass = 10
	// heldFor is longer than any run.
	heldFor = time.Hour
)

// A queue is a table with deliveries for many endpoints, and the times of their claims with
// their settlement.
type queue struct {
	*env.Store
	backend env.Backend
	backlog int       // deliveries for one endpoint more, all older
	took    []float64 // µs
}

// behind is the shape of a backlog for one endpoint, and of the deliveries for the others.
func behind(backlog int) schema.Shape {
	others := otherEndpoints * fillLanes
	return schema.Shape{
		Source: `'publish'`, Type: `'publish.delivery'`,
		Key: fmt.Sprintf(`CASE WHEN i <= %d THEN 'slow/' || (i %% %d) ELSE 'ep' || (i %% %d) || '/' || (i %% %d / %d) END`,
			backlog, fillLanes, otherEndpoints, others, otherEndpoints),
		State: schema.First(fmt.Sprintf(`(i <= %d AND i <= %d) OR (i > %d AND i <= %d)`, backlog, fillLanes, backlog, backlog+others)),
	}
}

// measureBacklog measures one table with a backlog and one without on each database. They
// take turns.
func (c command) measureBacklog(ctx context.Context, e *env.Env) (all []*queue, err error) {
	for _, b := range env.Databases {
		if !e.Has(b) || !env.Named(oursName+", "+string(b), c.impls) {
			continue
		}
		var queues []*queue
		for _, backlog := range []int{0, c.backlog} {
			q, remove, failed := c.openQueue(ctx, e, b, backlog)
			if failed != nil {
				return nil, fmt.Errorf("%s, backlog of %d: %w", b, backlog, failed)
			}
			defer func() { err = errors.Join(err, q.Close(), remove()) }()
			queues = append(queues, q)
		}
		err := env.Rounds(c.claims, len(queues), len(queues), func(i int) error { return queues[i].claim(ctx, claimsInPass) })
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b, err)
		}
		all = append(all, queues...)
	}
	return all, nil
}

// openQueue fills a table and claims the heads of the backlog, as if their requests hung.
func (c command) openQueue(ctx context.Context, e *env.Env, b env.Backend, backlog int) (*queue, func() error, error) {
	at, remove, err := e.Make(ctx, b)
	if err != nil {
		return nil, nil, err
	}
	q := &queue{backend: b, backlog: backlog}
	if q.Store, err = b.Open(ctx, at); err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	err = behind(backlog).Fill(ctx, q.DB, b, backlog+max(otherEndpoints*fillLanes, c.claims*claimsInPass))
	if err == nil && backlog > 0 {
		err = q.hold(ctx)
	}
	if err != nil {
		return nil, nil, errors.Join(err, q.Close(), remove())
	}
	return q, remove, nil
}

// hold claims the oldest delivery of each lane of the backlog.
func (q *queue) hold(ctx context.Context) error {
	claims, err := q.Claim(ctx, webhook.ClaimOptions{N: fillLanes, Lease: heldFor})
	if err == nil && len(claims) != fillLanes {
		err = fmt.Errorf("%d claims of the backlog, want %d", len(claims), fillLanes)
	}
	for _, c := range claims {
		if !isSlow(c) {
			err = fmt.Errorf("%q comes before the backlog", c.Delivery.OrderingKey)
		}
	}
	return err
}

func isSlow(c webhook.Claim) bool { return strings.HasPrefix(c.Delivery.OrderingKey, "slow/") }

// claim claims and settles n deliveries of the other endpoints, one after the other.
func (q *queue) claim(ctx context.Context, n int) error {
	for range n {
		start := time.Now()
		claims, err := q.Claim(ctx, webhook.ClaimOptions{N: 1, Types: []string{"publish.delivery"}})
		if err != nil {
			return err
		}
		if len(claims) != 1 || isSlow(claims[0]) {
			return fmt.Errorf("claimed %+v", claims)
		}
		if _, err := q.Settle(ctx, claims[0], webhook.Outcome{State: webhook.Done}); err != nil {
			return err
		}
		q.took = append(q.took, env.Micros(time.Since(start)))
	}
	return nil
}

// backlogAims compare each table with the one without a backlog before it.
func backlogAims(all []*queue) (aims []env.Aim) {
	for i, q := range all {
		if i%2 == 1 {
			text := fmt.Sprintf("%s, a backlog of %d: time of a claim, times that without", q.backend, q.backlog)
			aims = append(aims, env.NewAim(text, true, flat, env.Ratios(q.took, all[i-1].took)))
		}
	}
	return aims
}

func printBacklog(w io.Writer, all []*queue) {
	env.Head(w, fmt.Sprintf("Claim and settle for %d endpoints while another has a backlog", otherEndpoints), "in", "backlog:", "median µs:", "lower quartile:", "p99:")
	for _, q := range all {
		fmt.Fprintf(w, "| %s | %d | %.0f | %.0f | %.0f |\n", q.backend, q.backlog, env.Median(q.took), env.Quantile(q.took, 0.25), env.Quantile(q.took, 0.99))
	}
	fmt.Fprintln(w)
	env.PrintAims(w, "Aims of a backlog", backlogAims(all))
}
