package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/hookhouse/hookhouse/internal/browsertest/inspected"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

// withPassword lets in the user that the browser is.
var withPassword = inspect.BasicAuth(map[string]webhook.Secret{"owner": webhook.NewSecret(password)})

// inspectedService starts a service with an inspector, which ends with the test.
func inspectedService(t *testing.T, inbox inspected.Inbox, protect inspect.Protect) *inspected.Service {
	t.Helper()
	s, err := inspected.Start(inbox, protect)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("the service ends with %v", err)
		}
	})
	return s
}

// inspectedBrowser starts a service over an inbox in memory, and a browser at its inspector.
func inspectedBrowser(t *testing.T) (*inspected.Service, *browser) {
	t.Helper()
	s := inspectedService(t, &webhook.MemInbox{Logger: slog.New(slog.DiscardHandler)}, withPassword)
	return s, newBrowser(t, s.URL, true)
}

// must fails the test if a call of a sender, or one of the service, has failed.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// holds waits until a JavaScript expression is true on the page, which is not loaded again.
func (b *browser) holds(what, expression string) {
	b.t.Helper()
	held := false
	defer func() {
		if !held {
			b.t.Logf("%s shows\n%s", b.path(), b.text("body"))
		}
	}()
	eventually(b.t, what, func() bool { return value(b, what, chromedp.Evaluate[bool]("!!("+expression+")")) })
	held = true
}

// reloads loads a page until it shows a text.
func (b *browser) reloads(path, want string) {
	b.t.Helper()
	eventually(b.t, want+" on "+path, func() bool {
		b.open(path)
		return strings.Contains(b.text("main"), want)
	})
}

// enter replaces what the input of a name has.
func (b *browser) enter(name, text string) {
	b.t.Helper()
	input := chromedp.CSS("input[name=" + name + "]")
	b.run("enter "+name, chromedp.Clear(input), chromedp.SendKeys(input, text))
}

// submit clicks a button by its text, and waits for the next page.
func (b *browser) submit(text string) {
	b.t.Helper()
	b.next("click "+text, chromedp.Click(chromedp.Search(fmt.Sprintf(`//button[normalize-space()=%q]`, text))))
}

// rows returns the texts of the rows of a table, the cells separated by " | ".
func (b *browser) rows(selector string) []string {
	b.t.Helper()
	const texts = `[...document.querySelectorAll(%s)].map(r => [...r.cells].map(c => c.innerText.trim()).join(" | "))`
	return value(b, "rows of "+selector, chromedp.Evaluate[[]string](strings.Replace(texts, "%s", quoted(selector+" tbody tr"), 1)))
}

// uid returns the UID of the only delivery of a type.
func uid(t *testing.T, s *inspected.Service, typ string) string {
	t.Helper()
	var found []string
	for r, err := range s.Inbox.All(context.Background(), webhook.Filter{Type: typ}) {
		must(t, err)
		found = append(found, r.Delivery.UID)
	}
	if len(found) != 1 {
		t.Fatalf("%d deliveries of type %s", len(found), typ)
	}
	return found[0]
}

// back goes back in the history. A page can come from the cache, and then it does not load.
func (b *browser) back() {
	b.t.Helper()
	from := b.path()
	history := value(b, "the history", chromedp.NavigationEntries())
	before := history.Entries[history.CurrentIndex-1]
	if _, err := chromedp.Call(b.ctx, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: before.ID}); err != nil {
		b.t.Fatalf("go back from %s: %v", from, err)
	}
	b.holds("the page before "+from, "location.href === "+quoted(before.URL)+` && document.readyState === "complete"`)
}

// quoted returns a text as a literal of JavaScript.
func quoted(text string) string {
	literal, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always can
	}
	return string(literal)
}

// query returns the query of a URL, of names and values in turn.
func query(pairs ...string) string {
	q := make(url.Values)
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return q.Encode()
}
