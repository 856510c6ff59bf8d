package browsertest

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/hookhouse/hookhouse/internal/browsertest/inspected"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// Without scripts a selection is replayed, a delivery is sent signed again, a refused call is
// explained, and a command is shown too.
func TestCallsAndSelectionsWithoutScripts(t *testing.T) {
	t.Parallel()
	s := inspectedService(t, &webhook.MemInbox{Logger: slog.New(slog.DiscardHandler)}, withPassword)
	b := newBrowser(t, s.URL, false)
	many(t, s, 9) // of which three fail
	s.Callback(nil)

	b.open("/?state=dead")
	b.click("Replay all that match…")
	b.shows("3 finished deliveries match.")
	b.enter("why", "the mirror has room")
	b.click("Replay")
	b.reloads("/replays", "3 of 3 replayed")

	b.open("/")
	b.run("choose one", chromedp.Click(chromedp.CSS("#list input")))
	b.click("Replay the chosen…")
	b.enter("why", "this one")
	b.click("Replay")
	b.reloads("/replays", "1 of 1 replayed")

	must(t, s.GitHub(t.Context(), "issues", webhooktest.GitHubIssue()))
	b.open("/delivery?uid=" + uid(t, s, "github.issues"))
	b.run("show the command", chromedp.Click(chromedp.Search(`//summary[normalize-space()="Copy as curl"]`)))
	command := b.text("pre[aria-label=Command]")
	for _, want := range []string{"curl", "X-Github-Event: issues", "REDACTED"} {
		if !strings.Contains(command, want) {
			t.Errorf("the command has no %q: %.500s", want, command)
		}
	}
	b.click("Send it, signed again")
	b.enter("url", s.Hook("github"))
	b.enter("why", "once more")
	b.submit("Send")
	b.shows("has answered with status 202") // a duplicate, since the body is the same
	if text := b.text("main"); strings.Contains(text, string(inspected.Secret.Reveal())) {
		t.Errorf("the page has the key: %s", text)
	}

	wrongCalls[0].make(t, s)
	b.open("/calls?refused=1")
	b.next("open the call", chromedp.Click(chromedp.CSS("main table a")))
	b.shows(wrongCalls[0].help)
}
