package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

func TestCommentsNewestFirstAndEscaped(t *testing.T) {
	g := newRig(t)
	if page := g.get(t, "/"); page.status != 200 || !strings.Contains(page.body, "Yours will be the first") {
		t.Errorf("the empty guestbook: %d %s", page.status, page.body)
	}
	g.leave(t, "first <script>alert(1)</script>")
	g.leave(t, "second\r\nline")
	body := g.get(t, "/").body
	first, second := strings.Index(body, "first &lt;script&gt;alert(1)&lt;/script&gt;"), strings.Index(body, "second\nline")
	if first < 0 || second < 0 || second > first || strings.Contains(body, "<script") {
		t.Errorf("first at %d, second at %d: %s", first, second, body)
	}
}

func TestPagesOfComments(t *testing.T) {
	g := newRig(t)
	const total = 2*commentsPerPage + 5
	at := time.Now().Add(-time.Hour)
	for i := range total { // all at the same time, so that only the IDs are in order
		if err := g.comments.add(t.Context(), &comment{newID(), "Ada", fmt.Sprintf("comment %02d.", i), at}); err != nil {
			t.Fatal(err)
		}
	}
	seen := make(map[string]bool)
	pages := 0
	for path := "/"; path != ""; pages++ {
		page := g.get(t, path)
		for i := range total {
			if text := fmt.Sprintf("comment %02d.", i); strings.Contains(page.body, text) {
				if seen[text] {
					t.Errorf("%s is on two pages", text)
				}
				seen[text] = true
			}
		}
		_, path, _ = strings.Cut(page.body, `<a href="/?before=`)
		if path, _, _ = strings.Cut(path, `"`); path != "" {
			path = "/?before=" + path
		}
	}
	if len(seen) != total || pages != 3 {
		t.Errorf("%d comments on %d pages, want %d on 3", len(seen), pages, total)
	}
	for _, before := range []string{"x", "1-", "1-x", "-" + newID()} {
		if page := g.get(t, "/?before="+before); page.status != 404 {
			t.Errorf("before=%s: %d", before, page.status)
		}
	}
}

func TestFaultsOfAComment(t *testing.T) {
	g := newRig(t)
	for _, tc := range []struct{ name, comment, fault string }{
		{"", "text", "Your name is missing."},
		{"  ", "text", "Your name is missing."},
		{"Ada", "\r\n", "Your comment is missing."},
		{strings.Repeat("ä", maxName+1), "text", "Your name has 101 characters. Up to 100 are allowed."},
		{"Ada", strings.Repeat("ä", maxText+1), "Your comment has 2001 characters. Up to 2000 are allowed."},
		{"Ada", "a\x00b", "Your comment has a character that cannot be shown."},
		{"A\x1bda", "text", "Your name has a character that cannot be shown."},
		{"Ada", "\xff", "Your comment has a character that cannot be shown."},
	} {
		got := g.do(t, "POST", "/", url.Values{"name": {tc.name}, "comment": {tc.comment}})
		if got.status != 422 || !strings.Contains(got.body, tc.fault) {
			t.Errorf("%+.20q: %d", tc, got.status)
		}
		if kept := strings.TrimSpace(tc.comment); kept == "text" && !strings.Contains(got.body, ">text</textarea>") {
			t.Errorf("%+.20q: the comment is lost", tc)
		}
	}
	if !strings.Contains(g.get(t, "/").body, "Yours will be the first") {
		t.Error("one was stored")
	}
	if got := g.do(t, "POST", "/", url.Values{"name": {strings.Repeat("a", maxForm)}}); got.status != 400 {
		t.Errorf("a large form: %d", got.status)
	}
	g.leave(t, strings.Repeat("ä", maxText))
}

// A form that is sent twice is one comment, and one event.
func TestFormSentTwice(t *testing.T) {
	g := newRig(t)
	to := newSink(t)
	g.add(t, to.url)
	page := g.get(t, "/")
	for range 2 {
		if got := g.submit(t, page, "/", "name", "Ada", "comment", "once"); got.path != "/?thanks" {
			t.Errorf("%d at %s", got.status, got.path)
		}
	}
	g.leave(t, "another")
	if n := strings.Count(g.get(t, "/").body, ">once</p>"); n != 1 {
		t.Errorf("%d comments", n)
	}
	to.next(t, 1)
	if got := len(to.received()); got != 2 {
		t.Errorf("%d requests", got)
	}
}

// A comment without its event is not stored.
func TestCommentAndEventAreOneTransaction(t *testing.T) {
	g := newRig(t)
	g.publisher.MaxPayload = 1 // so that PublishTx fails
	if err := g.comments.add(t.Context(), &comment{newID(), "Ada", "text", time.Now()}); !errors.Is(err, publish.ErrEvent) {
		t.Errorf("add: %v", err)
	}
	if !strings.Contains(g.get(t, "/").body, "Yours will be the first") {
		t.Error("the comment is stored without its event")
	}
	g.publisher.MaxPayload = 0
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.comments.add(ended, &comment{newID(), "Ada", "text", time.Now()}); !errors.Is(err, context.Canceled) {
		t.Errorf("add after the end: %v", err)
	}
	for rec, err := range g.store.All(t.Context(), webhook.Filter{}) {
		t.Errorf("an event is stored: %v %v", rec.Delivery, err)
	}
}
