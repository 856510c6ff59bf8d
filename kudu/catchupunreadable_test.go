package kudu_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// Kudu writes the status of a deployment into a file, which a full disk cuts. It is readable
// two days later.
func TestAnEntryThatIsReadableDaysLaterIsNotSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t, kudu.Deployments())
		g.missed(3)
		var bad atomic.Bool
		bad.Store(true)
		g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
			resp, err := webhooktest.InMemory(g.site).RoundTrip(r)
			if err != nil || !bad.Load() || resp.StatusCode != 200 {
				return resp, err
			}
			var list []map[string]any
			if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
				return nil, err
			}
			for _, d := range list {
				if d["id"] == "commit1" {
					d["complete"] = "?"
				}
			}
			text, err := json.Marshal(list)
			resp.Header.Del("ETag")
			resp.Body = io.NopCloser(bytes.NewReader(text))
			return resp, err
		})
		c := g.catchUp()
		c.Every = time.Hour
		defer g.start(c)()
		catchuptest.Advance(50 * time.Hour)
		if n := g.missing(); n != 1 || !errors.Is(c.Status().Err, kudu.ErrAnswer) {
			t.Errorf("%d have not run, want one; %v", n, c.Status().Err)
		}
		bad.Store(false)
		catchuptest.Advance(2 * time.Hour)
		g.wantAllRun()
	})
}

// A poisonedInbox fails for one delivery and does not say that it always will.
type poisonedInbox struct{ *webhook.MemInbox }

func (in poisonedInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	if strings.Contains(string(d.Body), `commit1"`) {
		return catchuptest.ErrDown
	}
	return in.MemInbox.Put(ctx, d)
}

func TestADeliveryForWhichTheInboxFailsHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t, kudu.Deployments())
		g.inbox = poisonedInbox{g.inbox.(*webhook.MemInbox)}
		g.missed(5)
		defer g.start(g.catchUp())()
		catchuptest.Advance(10 * time.Minute)
		if n := g.missing(); n != 1 {
			t.Errorf("%d of 5 have not run, want one", n)
		}
		g.wantSaid(1, "catch-up fails")
	})
}
