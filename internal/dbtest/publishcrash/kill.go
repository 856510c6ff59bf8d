package publishcrash

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/broken"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
)

const (
	// minPublished is how many events must be published since the kill before for a kill to
	// count.
	minPublished = 16
	// backlog is how many events wait for an endpoint that is deleted while the publisher
	// lives on. At the rate of the endpoint they take longer than maxLate.
	backlog = 20
)

// A moment is the state that a kill would meet.
type moment struct {
	published int // since the kill before
	running   int // requests
}

func (m moment) counts() bool { return m.published >= minPublished && m.running > 0 }

func (m moment) String() string {
	return fmt.Sprintf("%d published, %d running", m.published, m.running)
}

// killOnce deletes an endpoint if none was deleted in this life, and kills the publisher at a
// random moment under load, if that counts. Every second publisher lives on for long enough
// that a request could begin too late. A kill does not count if the last lines of the
// publisher show that everything was settled just before it.
func (r *run) killOnce(ctx context.Context) (counted bool, err error) {
	if !r.deleted {
		if err := r.deleteEndpoint(ctx, r.kills%2 == 0, r.kills%4 >= 2); err != nil {
			return false, err
		}
	}
	if err := wait.Part(ctx, cmp.Or(r.Wait, 50*time.Millisecond)); err != nil {
		return false, err
	}
	m := r.account.moment()
	if !m.counts() {
		return false, nil
	}
	inFlight := r.kill()
	if counted = inFlight > 0; counted {
		r.kills++
		fmt.Fprintf(r.Output, "%s: kill %d: %d published since the last, %d in flight\n", r.Name, r.kills, m.published, inFlight)
	}
	return counted, r.start(ctx, r.writers())
}

// deleteEndpoint deletes an endpoint and creates another one. If the publisher lives on, events
// wait for the endpoint.
func (r *run) deleteEndpoint(ctx context.Context, livesOn, endWaiting bool) error {
	if livesOn {
		err := wait.Until(ctx, "events wait for an endpoint that the publisher knows", func() bool {
			return r.account.knows(r.owner.temporary) && r.owner.waits(ctx, backlog)
		})
		if err != nil {
			return fmt.Errorf("%w: %v\n%s", err, r.account.moment(), r.publisher.Log())
		}
	}
	if err := r.owner.deleteTemporary(ctx, endWaiting); err != nil {
		return err
	}
	if err := r.owner.createTemporary(ctx); err != nil {
		return err
	}
	r.deleted = true
	if !livesOn {
		return nil
	}
	if r.Variant == broken.KeepsEndpoints { // its requests may be slow, but they come
		return wait.Until(ctx, "a request begins too late", func() bool { return r.account.latest() > maxLate })
	}
	over := time.NewTimer(2 * maxLate)
	defer over.Stop()
	select {
	case <-over.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}
