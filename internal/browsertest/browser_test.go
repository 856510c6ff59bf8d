package browsertest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/hookhouse/hookhouse/internal/browsertest/chrome"
)

// A browser is a headless Chromium at a site. What it must not do fails the test: log an error
// to the console, which a violation of the Content-Security-Policy is too, open a dialog, or
// request anything from elsewhere.
type browser struct {
	t    *testing.T
	ctx  context.Context
	site string

	mu       sync.Mutex
	faults   []string
	expected []string // parts of messages that the console may have
	requests []string // their URLs
}

// newBrowser starts a browser that knows the password.
func newBrowser(t *testing.T, site string, scripts bool) *browser {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	allocator, stop := chromedp.NewExecAllocator(ctx, chrome.Options(chromium, t.TempDir())...)
	tab, _ := chromedp.NewContext(allocator)
	b := &browser{t: t, ctx: tab, site: site}
	var observers sync.WaitGroup
	t.Cleanup(func() {
		if err := chromedp.Cancel(tab); err != nil {
			t.Errorf("the browser does not end: %v", err)
		}
		stop()
		cancel()
		observers.Wait()
		for _, fault := range b.faults {
			t.Error(fault)
		}
		if len(b.requests) == 0 {
			t.Error("the browser has requested nothing")
		}
	})
	if err := chromedp.Do(tab); err != nil {
		t.Fatalf("the browser does not start: %v", err)
	}
	console, requests, challenges := chromedp.Console(tab), chromedp.Events(tab, fetch.RequestPaused), chromedp.Events(tab, fetch.AuthRequired)
	observers.Go(func() { observe(b, console, b.logged) })
	observers.Go(func() { observe(b, requests, b.request) })
	dialogs := chromedp.Events(tab, page.JavascriptDialogOpening)
	observers.Go(func() { observe(b, challenges, b.challenged) })
	observers.Go(func() { observe(b, dialogs, b.asked) })
	b.run("pause requests", chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, fetch.Enable, fetch.EnableParams{HandleAuthRequests: new(true)})
		if err == nil && !scripts {
			_, err = cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		}
		return err
	}))
	return b
}

// observe calls f with all events until the browser ends.
func observe[E any](b *browser, events iter.Seq2[E, error], f func(E)) {
	for event, err := range events {
		if err != nil {
			if b.ctx.Err() == nil {
				b.fault("%T cannot be read: %v", event, err)
			}
			return
		}
		f(event)
	}
}

func (b *browser) fault(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = append(b.faults, fmt.Sprintf(format, args...))
}

// logged gets a message of the console: there must be none, of any level, that the test does not
// expect.
func (b *browser) logged(m chromedp.ConsoleMessage) {
	b.mu.Lock()
	expected := slices.ContainsFunc(b.expected, func(part string) bool { return strings.Contains(m.Text, part) })
	b.mu.Unlock()
	if !expected {
		b.fault("the console has %s (%s)", m, m.URL)
	}
}

// expect makes messages of the console that contain a text no faults.
func (b *browser) expect(part string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = append(b.expected, part)
}

// asked gets a dialog that a page opens.
func (b *browser) asked(e page.EventJavascriptDialogOpening) {
	b.fault("%s opens a dialog: %s", e.URL, e.Message)
	if _, err := chromedp.Call(b.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{}); err != nil && b.ctx.Err() == nil {
		b.fault("the dialog is not closed: %v", err)
	}
}

// request gets a request before it is sent.
func (b *browser) request(e fetch.EventRequestPaused) {
	b.mu.Lock()
	b.requests = append(b.requests, e.Request.URL)
	b.mu.Unlock()
	if !strings.HasPrefix(e.Request.URL, b.site+"/") {
		b.fault("it requests %s", e.Request.URL)
	}
	if _, err := chromedp.Call(b.ctx, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID}); err != nil && b.ctx.Err() == nil && !isDropped(err) {
		b.fault("%s is not sent: %v", e.Request.URL, err)
	}
}

// isDropped reports whether the browser has left or closed the page, and dropped its request,
// before the request could be sent: a live page asks again and again.
func isDropped(err error) bool {
	return strings.Contains(err.Error(), "inspected target navigated or closed")
}

// requested returns the URLs of all requests.
func (b *browser) requested() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.requests)
}

// challenged gets the question for a password.
func (b *browser) challenged(e fetch.EventAuthRequired) {
	answer := &fetch.AuthChallengeResponse{Response: fetch.AuthChallengeResponseResponseProvideCredentials, Username: "owner", Password: password}
	params := fetch.ContinueWithAuthParams{RequestID: e.RequestID, AuthChallengeResponse: answer}
	if _, err := chromedp.Call(b.ctx, fetch.ContinueWithAuth, params); err != nil && b.ctx.Err() == nil {
		b.fault("the password is not sent: %v", err)
	}
}

// limited returns a context for one action: what never appears is waited for no longer.
func (b *browser) limited() (context.Context, context.CancelFunc) {
	return context.WithTimeout(b.ctx, 3*time.Minute)
}

// run does something, which must succeed.
func (b *browser) run(what string, actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := b.limited()
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// next does something that leads to another page, and waits for it, and until what has the
// focus there has it.
func (b *browser) next(what string, actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := b.limited()
	defer cancel()
	_, err := chromedp.RunResponse(ctx, actions...)
	for err != nil && ctx.Err() == nil && strings.Contains(err.Error(), "Could not find node with given id") {
		_, err = chromedp.RunResponse(ctx, actions...) // a live page has replaced it meanwhile
	}
	if err != nil {
		b.t.Fatalf("%s on %s: %v", what, b.path(), err)
	}
	b.holds("the focus of the page", `!document.querySelector("[autofocus]") || document.activeElement !== document.body`)
}

// value does something that has a result.
func value[T any](b *browser, what string, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := b.limited()
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	return v
}

// open opens a page of the site.
func (b *browser) open(path string) {
	b.t.Helper()
	b.run("open "+path, chromedp.Navigate(b.site+path))
}

// click clicks a button or a link by its text, and waits for the next page.
func (b *browser) click(text string) {
	b.t.Helper()
	at := fmt.Sprintf(`//button[normalize-space()=%q] | //a[normalize-space()=%[1]q]`, text)
	b.next("click "+text, chromedp.Click(chromedp.Search(at)))
}

// fill writes into an empty field, and refill replaces what an input has.
func (b *browser) fill(id, text string) {
	b.t.Helper()
	b.run("fill "+id, chromedp.SendKeys(chromedp.ID(id), text))
}

func (b *browser) refill(id, text string) {
	b.t.Helper()
	b.run("refill "+id, chromedp.Clear(chromedp.ID(id)), chromedp.SendKeys(chromedp.ID(id), text))
}

// text returns the text of the first element that matches.
func (b *browser) text(selector string) string {
	b.t.Helper()
	return value(b, "read "+selector, chromedp.Text(chromedp.CSS(selector)))
}

// path returns the path of the page, with its query.
func (b *browser) path() string {
	b.t.Helper()
	at := value(b, "path", chromedp.Location())
	return strings.TrimPrefix(at, b.site)
}

// shows fails unless the page has a text.
func (b *browser) shows(want string) {
	b.t.Helper()
	if got := b.text("main"); !strings.Contains(got, want) {
		b.t.Errorf("%s does not show %q, but\n%s", b.path(), want, got)
	}
}
