package browsertest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/hookhouse/hookhouse/internal/browsertest/inspected"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// many stores deliveries of GitHub's samples, received over some hours, of which a third fails.
func many(t *testing.T, s *inspected.Service, n int) {
	t.Helper()
	s.Callback(func(_ context.Context, d *webhook.Delivery) error {
		if d.Type != "github.release" {
			return nil
		}
		return webhook.Permanent(errors.New("the mirror mirror.example.com does not take the archive of v1.4.0: 507 Insufficient Storage"))
	})
	types := []string{"github.push", "github.release", "github.workflow_run"}
	for i := range n {
		d := webhook.NewDelivery("github", types[i%len(types)], fmt.Sprintf("acme/app refs/heads/feature-%d", i), webhooktest.GitHubPush())
		d.ReceivedAt = d.ReceivedAt.Add(time.Duration(i-n) * 6 * time.Minute)
		must(t, s.Inbox.Put(t.Context(), d))
	}
	eventually(t, "deliveries that are handled", func() bool {
		o, err := s.Inbox.Overview(context.Background(), n)
		must(t, err)
		return o.Count[webhook.Done].N+o.Count[webhook.Dead].N == n
	})
}

// pageKeys are the ordering keys of the rows of a list.
const pageKeys = `[...document.querySelectorAll("#list tbody tr")].map(r => r.cells[3].innerText)`

func TestOlderDeliveriesAreOnFurtherPages(t *testing.T) {
	t.Parallel()
	s, b := inspectedBrowser(t)
	many(t, s, 120)
	b.open("/")
	var all []string
	for page := 1; ; page++ {
		keys := value(b, "the ordering keys", chromedp.Evaluate[[]string](pageKeys))
		all = append(all, keys...)
		if page == 3 {
			if len(keys) != 20 {
				t.Errorf("the last page has %d rows", len(keys))
			}
			break
		}
		if len(keys) != 50 {
			t.Errorf("page %d has %d rows", page, len(keys))
		}
		// What arrives meanwhile does not shift the pages.
		must(t, s.Inbox.Put(t.Context(), webhook.NewDelivery("github", "github.push", fmt.Sprintf("new %d", page), []byte("{}"))))
		b.click("Older deliveries")
	}
	all = slices.DeleteFunc(all, func(key string) bool { return key == "new 1" || key == "new 2" })
	for i, key := range all {
		if want := fmt.Sprintf("acme/app refs/heads/feature-%d", 119-i); key != want {
			t.Fatalf("row %d has %q, want %q", i, key, want)
		}
	}
	if len(all) != 120 {
		t.Errorf("%d rows on all pages", len(all))
	}
	b.back()
	if keys := value(b, "the ordering keys", chromedp.Evaluate[[]string](pageKeys)); len(keys) != 50 {
		t.Errorf("the page before has %d rows", len(keys))
	}
}

// maxWeight is how many bytes a list of 50 deliveries may have.
const maxWeight = 60_000

// The weight is what the server writes: the page, its files, the headers of all answers, and the
// beginning of the live list.
func TestAPageWeighsLittle(t *testing.T) {
	t.Parallel()
	s := inspectedService(t, &webhook.MemInbox{Logger: slog.New(slog.DiscardHandler)}, inspect.LoopbackOnly)
	b := newBrowser(t, s.URL, true)
	many(t, s, 50)
	before := s.Written()
	b.open("/")
	b.holds("a live list", isLive)
	if n := len(b.rows("#list")); n != 50 {
		t.Errorf("%d rows", n)
	}
	// What comes after the beginning of the live list is there, so the beginning is too.
	must(t, s.GitHub(t.Context(), "ping", webhooktest.GitHubPing()))
	b.holds("a further delivery", `document.querySelector("#list tbody tr").innerText.includes("github.ping")`)
	weight := s.Written() - before
	if weight < 10_000 || weight >= maxWeight {
		t.Errorf("the page weighs %d bytes, want less than %d", weight, maxWeight)
	}
	t.Logf("the page weighs %d bytes", weight)
}
