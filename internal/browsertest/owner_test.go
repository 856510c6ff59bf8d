package browsertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
	"github.com/hookhouse/hookhouse/webhook"
)

// verifies checks a request with the secret, by this module and by the library of Standard
// Webhooks, which know nothing of each other.
func verifies(t *testing.T, r received, secret string) bool {
	t.Helper()
	other, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	theirs := other.Verify(r.body, r.header)

	source := webhook.Source{Name: "guestbook", Verifier: &webhook.StandardWebhooks{Keys: webhook.Keys(webhook.NewSecret(secret))}}
	var ours bool
	h := webhook.NewReceiver(source, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
		ours = true
		return nil
	}))
	request := httptest.NewRequest(http.MethodPost, "/hook", bytes.NewReader(r.body))
	request.Header = r.header.Clone()
	h.ServeHTTP(httptest.NewRecorder(), request)
	if ours != (theirs == nil) {
		t.Errorf("ours says %t, theirs %v", ours, theirs)
	}
	return ours
}

// Everything works without a script, in one process on SQLite.
func TestGuestbookWithoutScripts(t *testing.T) {
	t.Parallel()
	site := start(t, "listening url=", "-addr", "127.0.0.1:0")
	useGuestbook(t, newBrowser(t, site, false), func(string) {})
}

// The same with a process that serves and two that send, on PostgreSQL. The browser runs scripts,
// which the checks of accessibility are.
func TestGuestbookWithWorkersOnPostgreSQL(t *testing.T) {
	t.Parallel()
	server, err := postgres.Start(t.Context())
	switch {
	case errors.Is(err, postgres.ErrNotInstalled) && os.Getenv("CI") != "true":
		fmt.Println("left out:", err)
		return
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	db := strings.TrimSuffix(server.DSN(), "&")
	site := start(t, "listening url=", "-addr", "127.0.0.1:0", "-web", "-db", db)
	for range 2 {
		start(t, "INFO sending", "-worker", "-db", db)
	}
	b := newBrowser(t, site, true)
	useGuestbook(t, b, b.accessible)
}

// useGuestbook does all that a visitor and the owner of a webhook can do. It calls check on
// each page.
func useGuestbook(t *testing.T, b *browser, check func(page string)) {
	to := newReceiver(t)

	// The owner adds a webhook, and its secret is shown once.
	b.open("/webhooks")
	check("the list without webhooks")
	b.refill("url", to.url)
	b.fill("description", "ours")
	b.click("Add the webhook")
	check("the secret")
	secret := b.text("#secret")
	if !strings.HasPrefix(secret, "whsec_") {
		t.Fatalf("the secret is %q", secret)
	}
	b.click("Back to the webhook")
	check("the webhook")
	page := b.path()
	for _, path := range []string{page, "/webhooks", page + "/deliveries"} {
		b.open(path)
		if html := b.text("html"); strings.Contains(html, secret) {
			t.Errorf("%s shows the secret again", path)
		}
	}

	// A visitor leaves a comment, with the keyboard alone.
	b.open("/")
	check("the guestbook")
	b.run("write a comment with the keyboard",
		chromedp.Focus(chromedp.ID("name")),
		chromedp.KeyEvent("Ada"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("Hello <b>all</b>"), chromedp.KeyEvent(kb.Tab),
	)
	b.next("leave it with the keyboard", chromedp.KeyEvent(kb.Enter))
	b.shows("Thank you.")
	b.shows("Hello <b>all</b>")
	check("the guestbook with a comment")

	// It arrives, verifies, and is shown as delivered.
	first := to.next(t, 0)
	var got struct{ Name, Comment string }
	if err := json.Unmarshal(first.body, &got); err != nil || got.Name != "Ada" || got.Comment != "Hello <b>all</b>" {
		t.Errorf("received %s: %v", first.body, err)
	}
	if !verifies(t, first, secret) {
		t.Error("the notification does not verify")
	}
	eventually(t, "a delivery that is done", func() bool {
		b.open(page + "/deliveries")
		return strings.Contains(b.text("main"), "delivered")
	})
	check("the deliveries")
	b.shows("200")

	// Pause holds the next one back, and resume sends it.
	b.open(page)
	b.fill("why", "we move")
	b.click("Pause")
	b.shows("paused since")
	check("the paused webhook")
	b.leave("while paused")
	b.open(page)
	if n := len(to.all()); n != 1 {
		t.Errorf("%d requests while paused", n)
	}
	b.click("Resume")
	b.shows("active since")
	if second := to.next(t, 1); !bytes.Contains(second.body, []byte("while paused")) {
		t.Errorf("received %s", second.body)
	}

	// With a rotated secret a request verifies with both.
	b.click("Rotate the secret")
	rotated := b.text("#secret")
	check("the rotated secret")
	if rotated == secret {
		t.Error("the secret is the same")
	}
	b.click("Back to the webhook")
	b.click("Send a test")
	check("the delivery of the test")
	third := to.next(t, 2)
	if !verifies(t, third, secret) || !verifies(t, third, rotated) {
		t.Error("the test does not verify with both secrets")
	}
	if id := third.header.Get("Webhook-Id"); !strings.Contains(b.path(), id) {
		t.Errorf("the page is %s, and the test %s", b.path(), id)
	}

	// One delivery is sent again, with the same ID.
	b.open(page + "/deliveries/" + first.header.Get("Webhook-Id"))
	b.shows("Hello")
	check("a delivery")
	b.click("Send it again")
	again := to.next(t, 3)
	if !bytes.Equal(again.body, first.body) || again.header.Get("Webhook-Id") != first.header.Get("Webhook-Id") {
		t.Errorf("sent again: %s", again.body)
	}
	b.open(page)
	b.click("Send what it has not got")
	b.shows("sent again")

	// It is changed, and then deleted: nothing is sent any more.
	b.refill("description", "changed")
	b.click("Save the changes")
	b.shows("changed")
	b.open("/webhooks")
	check("the list")
	b.shows("changed")
	b.open(page)
	b.click("Delete the webhook")
	check("the question")
	b.click("Delete it")
	b.shows("There are none.")
	b.leave("after the end")
	if n := len(to.all()); n != 4 {
		t.Errorf("%d requests, want 4", n)
	}
}

// leave leaves a comment.
func (b *browser) leave(text string) {
	b.t.Helper()
	b.open("/")
	b.fill("name", "Ada")
	b.fill("comment", text)
	b.click("Leave it")
	b.shows("Thank you.")
}
