package inspect_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// postForm sends a form as a browser does.
func (r *rig) postForm(form url.Values, header http.Header) *http.Response {
	request := r.request("POST", "do", form.Encode())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, values := range header {
		request.Header[name] = values
	}
	return r.serve(request).Result()
}

const hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\x1b[2J\x1b]0;x\x07\u202e\x00\xff"

// hostileDelivery has hostile text in each field that a sender chooses.
func hostileDelivery() *webhook.Delivery {
	d := delivery(hostile, hostile)
	d.UID, d.Source, d.Type, d.ID, d.KeyLabel, d.Malformed, d.Unsigned = hostile, hostile, hostile, hostile, hostile, hostile, hostile
	d.DedupKeys = []string{hostile}
	d.Header = http.Header{hostile: {hostile}, "X-Name": {hostile, "javascript:alert(1)"}}
	return d
}

func TestWhatASenderWritesIsInert(t *testing.T) {
	r := newRig(t)
	d := r.put(hostileDelivery())
	r.settle(webhook.Dead, hostile)
	if w := r.postForm(url.Values{"act": {"replay"}, "uid": {d.UID}, "why": {"<b>because</b>"}}, nil); w.StatusCode != 400 {
		t.Errorf("a UID that is not UTF-8: %d", w.StatusCode) // and no NUL
	}
	clean := delivery("key", hostile)
	clean.Type, clean.OrderingKey = hostile, hostile
	r.put(clean)
	if w := r.postForm(url.Values{"act": {"bury"}, "uid": {clean.UID}, "why": {"<b>because</b>\x1b"}}, nil); w.StatusCode != 303 {
		t.Errorf("bury: %d", w.StatusCode)
	}
	pages := []string{"", "?state=waiting&text=" + url.QueryEscape("<script>\"'"), "acts", "act?act=replay&uid=" + clean.UID, "act?act=pause&type=%3Cscript%3E"}
	for _, kind := range []string{"", "&view=text", "&view=hex", "&view=JSON"} {
		pages = append(pages, "delivery?uid="+clean.UID+kind)
	}
	for _, page := range append(pages, "api/deliveries", "api/delivery?uid="+clean.UID, "api/acts") {
		w := r.get(page)
		body := w.Body.String()
		if w.Code != 200 {
			t.Errorf("%s: %d %s", page, w.Code, body)
		}
		for _, bad := range []string{"<script>alert", "<img", "<b>", "\x1b", "\u202e", "\x00", "\xff", "\x07"} {
			if !strings.HasPrefix(page, "api/") && strings.Contains(body, bad) || bad[0] != '<' && strings.Contains(body, bad) {
				t.Errorf("%s has %q: %s", page, bad, body)
			}
		}
	}
}

func TestEachPageIsGuarded(t *testing.T) {
	r := newRig(t)
	d := r.put(delivery("key", "{}"))
	inline := regexp.MustCompile(`(?i)<script>|</script[^>]|<style|\sstyle=|\son[a-z]+=|href="(https?:|//|/)|src="(https?:|//|/)|action="(https?:|/)`)
	for _, page := range append(htmlPages(d), "nowhere", "api/overview", "style.css") {
		w := r.get(page)
		csp := w.Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) || strings.Contains(csp, "unsafe") {
				t.Errorf("%s: the policy is %q", page, csp)
			}
		}
		// With no-referrer, an old browser sends the Origin null with the forms of the page.
		for name, want := range map[string]string{"X-Frame-Options": "DENY", "Cache-Control": "no-store", "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff"} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", page, name, got, want)
			}
		}
		if found := inline.FindString(w.Body.String()); found != "" {
			t.Errorf("%s has %q", page, found)
		}
	}
}

func TestAnActIsConfirmedDoneAndShown(t *testing.T) {
	r := newRig(t)
	d := r.put(delivery("key", "{}"))
	r.settle(webhook.Dead, "no such order")
	page := r.get("delivery?uid=" + d.UID).Body.String()
	if !strings.Contains(page, `value="replay"`) || strings.Contains(page, `value="bury"`) {
		t.Errorf("a dead letter can be replayed, and not buried: %s", page)
	}
	asked := r.get("act?act=replay&uid=" + d.UID)
	if body := asked.Body.String(); asked.Code != 200 || !strings.Contains(body, "runs again") || !strings.Contains(body, `name="why" required`) || strings.Contains(body, `name="by"`) {
		t.Errorf("the page that asks: %d %s", asked.Code, body)
	}
	if s := r.state(d); s != webhook.Dead {
		t.Errorf("to ask has made it %s", s)
	}
	w := r.postForm(url.Values{"act": {"replay"}, "uid": {d.UID}, "why": {"the order is there"}}, nil)
	if to := w.Header.Get("Location"); w.StatusCode != 303 || to != "delivery?uid="+d.UID || r.state(d) != webhook.Waiting {
		t.Errorf("%d to %q, and it is %s", w.StatusCode, to, r.state(d))
	}
	page = r.get("delivery?uid=" + d.UID).Body.String()
	for _, want := range []string{"<h2>Replays</h2>", "<h2>Acts since", "the order is there", "<td>ann</td>", "no such order", `value="bury"`, `value="release"`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q on %s", want, page)
		}
	}
	again := r.postForm(url.Values{"act": {"replay"}, "uid": {d.UID}, "why": {"once more"}}, nil)
	if acts := r.get("acts").Body.String(); again.StatusCode != 409 || !strings.Contains(acts, "refused: ") {
		t.Errorf("%d, and the acts are %s", again.StatusCode, acts)
	}
	if w := r.postForm(url.Values{"act": {"pause"}, "type": {"shop.order"}, "why": {"closed"}}, nil); w.StatusCode != 303 || w.Header.Get("Location") != "./" {
		t.Errorf("pause: %d to %q", w.StatusCode, w.Header.Get("Location"))
	}
	if page := r.get("").Body.String(); !strings.Contains(page, "shop.order is paused") || !strings.Contains(page, "by ann: closed") {
		t.Errorf("the pause is not on %s", page)
	}
}

func TestAFormThatIsForgedOrBrokenIsRefused(t *testing.T) {
	r := newRig(t)
	d := r.put(delivery("", "{}"))
	good := func() url.Values { return url.Values{"act": {"bury"}, "uid": {d.UID}, "why": {"x"}} }
	with := func(name string, values ...string) url.Values {
		form := good()
		form[name] = values
		return form
	}
	for _, tt := range []struct {
		name   string
		form   url.Values
		header http.Header
		want   int
	}{
		{"another site", good(), http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		{"another origin", good(), http.Header{"Sec-Fetch-Site": nil, "Origin": {"https://evil.example"}}, 403},
		{"twice", with("uid", d.UID, "other"), nil, 400},
		{"more", with("force", "1"), nil, 400},
		{"no such act", with("act", "discard"), nil, 404},
		{"no why", with("why", ""), nil, 400},
		{"large", with("why", strings.Repeat("x", 20<<10)), nil, 413},
		{"another kind of form", good(), http.Header{"Content-Type": {"text/plain"}}, 404},
	} {
		if w := r.postForm(tt.form, tt.header); w.StatusCode != tt.want || r.state(d) != webhook.Waiting {
			t.Errorf("%s: %d, want %d; it is %s", tt.name, w.StatusCode, tt.want, r.state(d))
		}
	}
	for _, page := range []string{"act?act=discard&uid=x", "act?act=replay", "act", "delivery", "delivery?uid=x&view=html"} {
		if w := r.get(page); w.Code != 400 && w.Code != 404 {
			t.Errorf("%s: %d", page, w.Code)
		}
	}
	r.ReadOnly = true
	for _, page := range htmlPages(d)[:2] {
		if body := r.get(page).Body.String(); strings.Contains(body, "act?act=") || strings.Contains(body, `action="act"`) {
			t.Errorf("%s offers an act to who can only read", page)
		}
	}
	if w := r.postForm(good(), nil); w.StatusCode != 403 || r.get("act?act=bury&uid="+d.UID).Code != 403 {
		t.Errorf("read-only: %d", w.StatusCode)
	}
}

func TestTheListPageOffersToGoOn(t *testing.T) {
	r := newRig(t)
	r.fill(3)
	page := r.get("?source=shop&limit=2&state=waiting").Body.String()
	next := regexp.MustCompile(`href="(\./\?[^"]*)" rel="next"`).FindStringSubmatch(page)
	if next == nil || strings.Count(page, "<td><a href=\"delivery?") != 2 {
		t.Fatalf("no further page: %s", page)
	}
	further := strings.TrimPrefix(strings.ReplaceAll(next[1], "&amp;", "&"), "./")
	if last := r.get(further).Body.String(); strings.Count(last, "<td><a href=\"delivery?") != 1 || strings.Contains(last, `rel="next"`) || !strings.Contains(last, `value="waiting" checked`) {
		t.Errorf("%s: %s", further, last)
	}
	r.Inspector = r.inspector(&sparseStore{Store: r.inbox, deliveries: 1000}, ann)
	if page := r.get("?type=shop.never").Body.String(); !strings.Contains(page, "No delivery matches so far") || !strings.Contains(page, "Look further back") {
		t.Errorf("a page that has not looked at all: %s", page)
	}
}

func TestPagesStaySmall(t *testing.T) {
	r := newRig(t)
	for i, body := range []string{
		strings.Repeat("<", 25<<20), `"` + strings.Repeat("<", 1<<20-10) + `"`, strings.Repeat("[", 9999) + strings.Repeat("]", 9999),
		strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000), strings.Repeat("[ ", 500_000), strings.Repeat("\x00", 1<<20), strings.Repeat("é", 1<<20),
	} {
		d := delivery("", body)
		d.Header = make(http.Header)
		for n := range 250 {
			d.Header.Set(fmt.Sprint("X-", n), "<")
		}
		r.put(d)
		for _, kind := range []string{"", "&view=text", "&view=hex", "&view=JSON"} {
			w := r.get("delivery?uid=" + d.UID + kind)
			if w.Code != 200 || w.Body.Len() > 512<<10 || !strings.Contains(w.Body.String(), "50 more are in the JSON") {
				t.Errorf("body %d%s: %d, %d bytes", i, kind, w.Code, w.Body.Len())
			}
		}
	}
}
