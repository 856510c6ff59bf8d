package edgetest

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/process"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
)

// runWorker handles what is in PostgreSQL.
func (m member) runWorker(ctx context.Context) error {
	inbox, db, err := open(m.Store, concurrency)
	if err != nil {
		return err
	}
	defer db.Close()
	defer inbox.Close()
	w := webhook.NewWorker(inbox, m.callback())
	w.Concurrency, w.Lease = concurrency, 5*time.Second
	w.Observer = &webhook.Observer{
		Settled: func(_ context.Context, c webhook.Claim, o webhook.Outcome, _ time.Duration) {
			if o.State.Final() {
				m.write(settled, c.Delivery.ID)
			} else {
				m.write(released, c.Delivery.ID)
			}
		},
		Lost: func(_ context.Context, c webhook.Claim) { m.write(lost, c.Delivery.ID) },
	}
	process.Ready("")
	return w.Run(ctx)
}

// callback takes a few milliseconds and writes its beginning and its end. It checks that the
// delivery is what was signed.
func (m member) callback() webhook.Handler {
	verifier := signature()
	invalid := verifier.Validate()
	return webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		claim, _ := webhook.ClaimFromContext(ctx)
		m.write(begun, d.ID, stamp(time.Now()), stamp(claim.Expires))
		_, err := verifier.Verify(&http.Request{Header: d.Header}, d.Body)
		if err != nil || !strings.HasPrefix(string(d.Body), d.ID+"\n") {
			m.write(damaged, d.ID)
			return webhook.Permanent(errors.Join(err, invalid, webhook.ErrMalformed))
		}
		if err := wait.Part(ctx, 10*time.Millisecond); err != nil {
			m.write(failed, d.ID)
			return err
		}
		m.write(handled, d.ID)
		return nil
	})
}

// stamp is a time in microseconds.
func stamp(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }
