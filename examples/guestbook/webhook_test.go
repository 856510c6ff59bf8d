package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// verifies reports whether a request has a signature of the secret.
func verifies(t *testing.T, s sent, secret string) bool {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "/", bytes.NewReader(s.body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = s.header
	ok := false
	receiver := webhook.NewReceiver(
		webhook.Source{Name: "guestbook", Verifier: &webhook.StandardWebhooks{Keys: webhook.Keys(webhook.NewSecret(secret))}},
		webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { ok = true; return nil }),
	)
	receiver.ServeHTTP(discard{}, r)
	return ok
}

type discard struct{}

func (discard) Header() http.Header         { return make(http.Header) }
func (discard) Write(p []byte) (int, error) { return io.Discard.Write(p) }
func (discard) WriteHeader(int)             {}

func TestSecretIsShownOnce(t *testing.T) {
	g := newRig(t)
	page, secret := g.add(t, "http://127.0.0.1:9000/hook", "description", "<i>ours</i>")
	for _, path := range []string{"/webhooks", page, page + "/delete", page + "/deliveries"} {
		got := g.get(t, path)
		if got.status != 200 || strings.Contains(got.body, secret) || strings.Contains(got.body, "<i>") {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if list := g.get(t, "/webhooks").body; !strings.Contains(list, "&lt;i&gt;ours&lt;/i&gt;") || !strings.Contains(list, "http://127.0.0.1:9000/hook") {
		t.Errorf("the list: %s", list)
	}
}

// A form that is sent twice adds one webhook, whose secret is not shown again.
func TestWebhookFormSentTwice(t *testing.T) {
	g := newRig(t)
	form := g.get(t, "/webhooks")
	first := g.submit(t, form, "/webhooks", "url", "http://127.0.0.1:9000/a")
	second := g.submit(t, form, "/webhooks", "url", "http://127.0.0.1:9000/a")
	if !secretPattern.MatchString(first.body) || secretPattern.MatchString(second.body) || !strings.Contains(second.body, "The form was sent twice") {
		t.Errorf("first %s\nsecond %s", first.body, second.body)
	}
	if n := strings.Count(g.get(t, "/webhooks").body, `data-label="URL"`); n != 1 {
		t.Errorf("%d webhooks", n)
	}
}

func TestFaultsOfAWebhook(t *testing.T) {
	g := newRig(t)
	page, _ := g.add(t, "http://127.0.0.1:9000/hook")
	for _, tc := range []struct{ name, field, value, says string }{
		{"no URL", "url", "", "URL"},
		{"a relative URL", "url", "/hook", "URL"},
		{"a private address", "url", "http://10.0.0.1/hook", "URL"},
		{"a long description", "description", strings.Repeat("a", 5000), "Description"},
		{"no event", "event", "", "Events"},
	} {
		for form, action := range map[string]string{"/webhooks": "/webhooks", page: page + "/edit"} {
			got := g.submit(t, g.get(t, form), action, "url", "http://127.0.0.1:9000/kept", tc.field, tc.value)
			if got.status != 422 || !strings.Contains(got.body, `id="fault">`+tc.says) || strings.Contains(got.body, "publish:") {
				t.Errorf("%s at %s: %d %s", tc.name, action, got.status, got.body)
			}
			if tc.field != "url" && !strings.Contains(got.body, `value="http://127.0.0.1:9000/kept"`) {
				t.Errorf("%s at %s: the URL is lost", tc.name, action)
			}
		}
	}
	if n := strings.Count(g.get(t, "/webhooks").body, `data-label="URL"`); n != 1 {
		t.Errorf("%d webhooks", n)
	}
}

func TestCommentIsDeliveredSignedAndShownAsDelivered(t *testing.T) {
	g := newRig(t)
	to := newSink(t)
	page, secret := g.add(t, to.url)
	g.leave(t, "grüße <b>")
	got := to.next(t, 0)
	if !verifies(t, got, secret) {
		t.Errorf("it does not verify: %v", got.header)
	}
	var event map[string]any
	if err := json.Unmarshal(got.body, &event); err != nil {
		t.Fatal(err)
	}
	delete(event, "id")
	delete(event, "time")
	if diff := cmp.Diff(map[string]any{"name": "Ada", "comment": "grüße <b>"}, event); diff != "" {
		t.Errorf("payload (-want +got):\n%s", diff)
	}
	eventually(t, "a delivered attempt", func() bool { return strings.Contains(g.get(t, page+"/deliveries").body, "delivered") })
	list := g.get(t, page+"/deliveries").body
	for _, want := range []string{">200<br>", "&lt;b&gt;the answer&lt;/b&gt;", "comment.created, attempt 1", "none</td>"} {
		if !strings.Contains(list, want) {
			t.Errorf("the deliveries lack %q:\n%s", want, list)
		}
	}
	if failed := g.get(t, page+"/deliveries?failed=1").body; !strings.Contains(failed, "There are none.") {
		t.Errorf("without success: %s", failed)
	}
	event1 := g.get(t, page+"/deliveries/"+got.header.Get("Webhook-Id")).body
	if !strings.Contains(event1, `&#34;name&#34;: &#34;Ada&#34;`) || !strings.Contains(event1, "delivered") {
		t.Errorf("the delivery: %s", event1)
	}
}

func TestPauseAndResume(t *testing.T) {
	g := newRig(t)
	to, other := newSink(t), newSink(t)
	page, _ := g.add(t, to.url)
	g.add(t, other.url)
	paused := g.submit(t, g.get(t, page), page+"/pause", "why", "we move")
	if paused.path != page+"?done=paused" || !strings.Contains(paused.body, ": we move") {
		t.Errorf("%s %s", paused.path, paused.body)
	}
	g.leave(t, "while paused")
	other.next(t, 0)
	if got := to.received(); len(got) != 0 {
		t.Errorf("%d requests while paused", len(got))
	}
	if resumed := g.submit(t, paused, page+"/resume"); !strings.Contains(resumed.body, `<span class="state active">`) {
		t.Errorf("resumed: %s", resumed.body)
	}
	if got := to.next(t, 0); !bytes.Contains(got.body, []byte("while paused")) {
		t.Errorf("received %s", got.body)
	}
}

func TestRotateShowsTheNewSecretAndKeepsTheOldOneForADay(t *testing.T) {
	g := newRig(t)
	to := newSink(t)
	page, old := g.add(t, to.url)
	rotate := func(overlap string) string {
		got := g.submit(t, g.get(t, page), page+"/rotate", "overlap", overlap)
		shown := secretPattern.FindStringSubmatch(got.body)
		if shown == nil {
			t.Fatalf("%d %s", got.status, got.body)
		}
		return shown[1]
	}
	plain := func(text string) string { return strings.ReplaceAll(text, "&#43;", "+") }
	second := plain(rotate("24h"))
	g.leave(t, "a")
	if got := to.next(t, 0); second == old || !verifies(t, got, old) || !verifies(t, got, second) {
		t.Error("within the day, a request does not verify with both secrets")
	}
	third := plain(rotate("now"))
	g.leave(t, "b")
	if got := to.next(t, 1); verifies(t, got, old) || verifies(t, got, second) || !verifies(t, got, third) {
		t.Error("a request does not verify with the newest secret alone")
	}
	if got := g.submit(t, g.get(t, page), page+"/rotate", "overlap", "1y"); got.status != 422 {
		t.Errorf("another time: %d", got.status)
	}
}

func TestTestGoesToOneWebhook(t *testing.T) {
	g := newRig(t)
	to, other := newSink(t), newSink(t)
	page, secret := g.add(t, to.url)
	g.add(t, other.url)
	tested := g.submit(t, g.get(t, page), page+"/test")
	got := to.next(t, 0)
	if !verifies(t, got, secret) || !strings.Contains(tested.path, "/deliveries/"+got.header.Get("Webhook-Id")+"?done=tested") {
		t.Errorf("%s: %s", tested.path, got.body)
	}
	if len(other.received()) != 0 {
		t.Error("the other webhook got it, too")
	}
	if body := g.get(t, "/").body; strings.Contains(body, "This is a test") {
		t.Error("the test is a comment")
	}
}

func TestResend(t *testing.T) {
	g := newRig(t)
	to := newSink(t)
	page, _ := g.add(t, to.url)
	to.answer(http.StatusGone)
	g.leave(t, "refused")
	eventually(t, "a disabled webhook", func() bool { return strings.Contains(g.get(t, page).body, string(publish.Disabled)) })
	g.leave(t, "while disabled")
	failed := g.get(t, page+"/deliveries?failed=1").body
	if !strings.Contains(failed, ">410<br>") {
		t.Errorf("without success: %s", failed)
	}
	to.answer(http.StatusOK)
	g.submit(t, g.get(t, page), page+"/resume")
	got := g.submit(t, g.get(t, page), page+"/resend", "since", "1h")
	if got.path != page+"?done=resent" {
		t.Errorf("%d at %s", got.status, got.path)
	}
	again := to.next(t, 2)
	delivery := page + "/deliveries/" + to.received()[0].header.Get("Webhook-Id")
	if sent := g.submit(t, g.get(t, delivery), delivery+"/resend"); sent.path != delivery+"?done=sent" {
		t.Errorf("%d at %s", sent.status, sent.path)
	}
	last := to.next(t, 3)
	if id := last.header.Get("Webhook-Id"); id != to.received()[0].header.Get("Webhook-Id") || !bytes.Equal(last.body, to.received()[0].body) {
		t.Errorf("sent again as %s: %s (%s)", id, last.body, again.body)
	}
}

func TestEditAndDelete(t *testing.T) {
	g := newRig(t)
	first, second := newSink(t), newSink(t)
	page, _ := g.add(t, first.url)
	if got := g.submit(t, g.get(t, page), page+"/edit", "url", second.url); got.path != page+"?done=edited" {
		t.Errorf("%d at %s", got.status, got.path)
	}
	g.leave(t, "to the second")
	second.next(t, 0)
	ask := g.get(t, page+"/delete")
	if got := g.submit(t, ask, page+"/delete"); got.path != "/webhooks?done=deleted" || !strings.Contains(got.body, "There are none.") {
		t.Errorf("%d at %s", got.status, got.path)
	}
	for _, path := range []string{page, page + "/deliveries", page + "/delete"} {
		if got := g.get(t, path); got.status != 404 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if got := g.submit(t, ask, page+"/delete"); got.status != 404 {
		t.Errorf("deleted twice: %d", got.status)
	}
	if len(first.received()) != 0 {
		t.Error("the first URL got it")
	}
}
