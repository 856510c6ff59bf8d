package browsertest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

const (
	// isLive is true on a list that shows what changes.
	isLive = `document.getElementById("live").textContent === "The list is live."`
	// isMarked is true until the page is loaded again; see mark.
	isMarked = `window.mark === 1`
)

// mark opens a list, waits until it is live, and marks the page.
func (b *browser) mark(path string) {
	b.t.Helper()
	b.open(path)
	b.holds("a live list", isLive)
	b.run("mark", chromedp.Evaluate[chromedp.Void]("window.mark = 1"))
}

// marked fails if the page was loaded again.
func (b *browser) marked() {
	b.t.Helper()
	if !value(b, "the mark", chromedp.Evaluate[bool](isMarked)) {
		b.t.Error("the page was loaded again")
	}
}

// liveStates is the states of the rows of a list, newest first.
const liveStates = `[...document.querySelectorAll("#list tbody tr")].map(r => r.cells[0].innerText.trim()).join(" ")`

func TestADeliveryAppearsAndChangesWithoutReload(t *testing.T) {
	t.Parallel()
	s, b := inspectedBrowser(t)
	ends := make(chan error)
	s.Callback(func(ctx context.Context, _ *webhook.Delivery) error {
		select {
		case err := <-ends:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	b.mark("/")
	if n := len(b.rows("#list")); n != 0 {
		t.Fatalf("%d rows in an empty list", n)
	}

	must(t, s.GitHub(t.Context(), "push", webhooktest.GitHubPush()))
	b.holds("a delivery that runs", liveStates+` === "claimed"`)
	b.holds("no text of an empty list", `!document.getElementById("none")`)
	b.run("focus the delivery", chromedp.Evaluate[chromedp.Void](`document.querySelector("#list a").focus()`))
	ends <- nil
	b.holds("a delivery that is done", liveStates+` === "done"`)
	b.holds("the focus on the delivery", `document.activeElement === document.querySelector("#list a")`)

	must(t, s.JobServ(t.Context(), webhooktest.JobServFailedBuild()))
	b.holds("a newer delivery above", liveStates+` === "claimed done"`)
	ends <- webhook.Permanent(errors.New("no such branch"))
	b.holds("a dead delivery", liveStates+` === "dead done"`)
	live := b.rows("#list")
	if len(live) != 2 || !strings.Contains(live[0], "jobserv") || !strings.Contains(live[0], "no such branch") || !strings.Contains(live[1], "github.push") {
		t.Errorf("rows %q", live)
	}
	b.marked()

	// The page that is loaded again has the same.
	b.open("/")
	if loaded := b.rows("#list"); strings.Join(live, "\n") != strings.Join(loaded, "\n") {
		t.Errorf("live\n%q\nloaded\n%q", live, loaded)
	}
}

func TestAFilteredListShowsOnlyWhatMatches(t *testing.T) {
	t.Parallel()
	s, b := inspectedBrowser(t)
	s.Callback(func(_ context.Context, d *webhook.Delivery) error {
		if d.Source == "jobserv" {
			return webhook.Permanent(errors.New("no such branch"))
		}
		return nil
	})
	b.mark("/?state=dead")
	must(t, s.GitHub(t.Context(), "push", webhooktest.GitHubPush()))
	must(t, s.JobServ(t.Context(), webhooktest.JobServFailedBuild()))
	b.holds("the dead delivery alone", liveStates+` === "dead"`)

	// One that no longer matches leaves the list.
	s.Callback(nil)
	_, err := s.Inbox.Replay(t.Context(), webhook.Filter{States: []webhook.State{webhook.Dead}}, webhook.Note{By: "ann", Why: "the branch is there"})
	must(t, err)
	b.holds("an empty list", liveStates+` === ""`)
	b.marked()
}

func TestALiveListConnectsAgain(t *testing.T) {
	t.Parallel()
	s, b := inspectedBrowser(t)
	b.expect("net::ERR_") // a connection that breaks is in the console
	b.mark("/")
	must(t, s.GitHub(t.Context(), "push", webhooktest.GitHubPush()))
	b.holds("a delivery", liveStates+` === "done"`)

	s.Streams.Break()
	b.holds("a text that says so", `document.getElementById("live").textContent === "Live updates are interrupted."`)
	must(t, s.GitHub(t.Context(), "release", webhooktest.GitHubRelease()))
	s.Streams.Allow()
	b.holds("a live list", isLive)
	b.holds("the delivery of the meantime", liveStates+` === "done done"`)
	b.marked()
}

func TestALiveListThatIsRefusedSaysSoAndAsksAgain(t *testing.T) {
	t.Parallel()
	s, b := inspectedBrowser(t)
	b.expect("status of 503")
	s.Refuse()
	b.open("/")
	const refused = `document.getElementById("live").textContent.startsWith("There are no live updates")`
	b.holds("a text that says so", `!document.getElementById("live").hidden && `+refused)
	must(t, s.GitHub(t.Context(), "push", webhooktest.GitHubPush()))
	must(t, s.Renew())
	b.holds("a live list", isLive)
	b.holds("the delivery of the meantime", liveStates+` === "done"`)
}

// A list that is not looked at is not connected, and one from the history is again.
func TestALiveListFromTheHistoryIsLive(t *testing.T) {
	t.Parallel()
	s, b := inspectedBrowser(t)
	b.mark("/")
	b.open("/acts")
	eventually(t, "no connection", func() bool { return s.Streams.Count() == 0 })
	b.back()
	b.holds("a live list", isLive)
	must(t, s.GitHub(t.Context(), "push", webhooktest.GitHubPush()))
	b.holds("a delivery", liveStates+` === "done"`)
}
