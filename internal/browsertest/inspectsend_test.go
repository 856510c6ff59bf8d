package browsertest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/internal/browsertest/inspected"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A delivery of each sender is sent again, signed with a key for tests, to another service,
// which finds that it is genuine.
func TestADeliveryIsSentSignedAgain(t *testing.T) {
	t.Parallel()
	s, b := inspectedBrowser(t)
	must(t, s.Samples(t.Context()))
	got := new(webhooktest.Recorder)
	staging := http.NewServeMux()
	for pattern, source := range map[string]webhook.Source{
		"/github": github.Source(inspected.Secret), "/jobserv": jobserv.Source(inspected.Secret),
		"/dockerhub/{token}": dockerhub.Source(inspected.Secret), "/kudu/{token}": kudu.Source(inspected.Secret),
	} {
		staging.Handle(pattern, webhook.NewReceiver(source, got))
	}
	target := httptest.NewServer(staging)
	t.Cleanup(target.Close)

	for i, tt := range []struct{ typ, key, path string }{
		{"github.push", "staging github", "/github"},
		{"jobserv.build", "staging jobserv", "/jobserv"},
		{"dockerhub.push", "staging dockerhub", "/dockerhub/{token}"},
		{"kudu.PostDeployment", "staging kudu", "/kudu/{token}"},
	} {
		b.open("/delivery?uid=" + uid(t, s, tt.typ))
		b.click("Send it, signed again")
		if i == 0 {
			b.accessible("the form of a sending")
		}
		b.run("choose the key", chromedp.SetValue(chromedp.CSS("select[name=key]"), tt.key))
		b.enter("url", target.URL+tt.path)
		b.enter("why", "try it on staging")
		b.submit("Send")
		b.shows(target.URL + " has answered with status 202")
		if html := b.text("html"); strings.Contains(html, string(inspected.Secret.Reveal())) {
			t.Errorf("%s: the page has the key", tt.typ)
		}
		sent := got.Deliveries()
		if len(sent) != i+1 || sent[i].Type != tt.typ || !bytes.Equal(sent[i].Body, bodyOf(t, s, tt.typ)) {
			t.Fatalf("%s: received %+v", tt.typ, sent)
		}
	}
	b.accessible("the answer")

	// The body can be edited.
	b.open("/delivery?uid=" + uid(t, s, "github.push"))
	b.click("Send it, signed again")
	b.run("choose the key", chromedp.SetValue(chromedp.CSS("select[name=key]"), "staging github"))
	b.enter("url", target.URL+"/github")
	b.run("edit the body", chromedp.SetValue(chromedp.CSS("textarea"), `{"ref":"refs/heads/edited"}`))
	b.enter("why", "try another branch")
	b.submit("Send")
	b.shows("status 202")
	if sent := got.Deliveries(); len(sent) != 5 || string(sent[4].Body) != `{"ref":"refs/heads/edited"}` {
		t.Errorf("received %d, the last %s", len(sent), sent[len(sent)-1].Body)
	}

	// A host that the program does not allow is not called.
	b.expect("status of 403")
	b.click("Send again")
	b.enter("url", "https://hooks.example.com/")
	b.enter("why", "try it elsewhere")
	b.submit("Send")
	b.shows("hooks.example.com")
	b.accessible("a host that is not allowed")

	b.open("/acts")
	if rows := b.rows("main table"); len(rows) != 6 || !strings.Contains(rows[1], "try another branch") || !strings.Contains(rows[1], "owner") {
		t.Errorf("acts %q", rows)
	}
}

// bodyOf returns the body of the only delivery of a type.
func bodyOf(t *testing.T, s *inspected.Service, typ string) []byte {
	t.Helper()
	r, err := s.Inbox.Get(context.Background(), uid(t, s, typ))
	must(t, err)
	return r.Delivery.Body
}

// What matches a filter, or what is chosen, is replayed at a rate.
func TestASelectionIsReplayed(t *testing.T) {
	t.Parallel()
	s, b := inspectedBrowser(t)
	many(t, s, 9) // of which three fail
	s.Callback(nil)
	b.open("/?state=dead")
	b.click("Replay all that match…")
	b.shows("3 finished deliveries match.")
	b.accessible("the question about a selection")
	b.enter("rate", "100")
	b.enter("why", "the mirror has room")
	b.click("Replay")
	b.reloads("/replays", "3 of 3 replayed, 0 skipped, at 100 a second.")
	b.shows("the mirror has room")
	b.accessible("the replays")
	b.reloads("/?state=dead", "No delivery matches.")

	// Two of the list are chosen, by keyboard. One that appears meanwhile is not.
	b.mark("/")
	boxes := `[...document.querySelectorAll("#list input")]`
	labels := value(b, "the labels", chromedp.Evaluate[[]string](boxes+`.map(e => e.getAttribute("aria-label"))`))
	for _, label := range labels[:2] {
		b.tabTo(label)
		b.run("choose it", chromedp.KeyEvent(" "))
	}
	must(t, s.GitHub(t.Context(), "release", webhooktest.GitHubRelease()))
	b.holds("a further delivery", boxes+`.length === 10`)
	if chosen := value(b, "what is chosen", chromedp.Evaluate[[]bool](boxes+`.map(e => e.checked)`)); !slices.Equal(chosen[:4], []bool{false, true, true, false}) {
		t.Errorf("chosen %t", chosen)
	}
	b.marked()
	b.tabTo("Replay the chosen…")
	b.press("\r")
	b.shows("2 deliveries are chosen.")
	b.enter("why", "only these")
	b.click("Replay")
	b.reloads("/replays", "2 of 2 replayed")
	b.shows("only these")

	// One is stopped, which would take minutes.
	for i := range 300 {
		must(t, s.Inbox.Put(t.Context(), webhook.NewDelivery("github", "github.push", fmt.Sprint("further ", i), []byte("{}"))))
	}
	eventually(t, "the end of all runs", func() bool {
		o, err := s.Inbox.Overview(t.Context(), 1000)
		must(t, err)
		return o.Count[webhook.Done].N == 310
	})
	b.open("/?source=github")
	b.click("Replay all that match…")
	b.enter("rate", "1")
	b.enter("why", "too slow")
	b.click("Replay")
	b.shows("running")
	b.enter("why", "it is too slow")
	b.click("Stop")
	b.reloads("/replays", "stopped")
	b.shows("Replay the rest")
	b.accessible("a replay that was stopped")
}
