package browsertest

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/hookhouse/hookhouse/internal/browsertest/inspected"
	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// markup would run a script, and load something, if a page had it as HTML.
	markup = `"'></pre></textarea></title><script>window.hit=1;alert(1)</script><img src="http://evil.example/x" onerror="window.hit=1;alert(1)">` +
		`<iframe src="javascript:parent.hit=1"></iframe><a href="javascript:window.hit=1">x</a><style>*{display:none}</style>{{.}}`
	// control would reverse a line, or control a terminal.
	control = "a\u202eb\u2066c\u200bd\x1b]0;title\x07\x1b[31me\u00a0f\u2028g\ufeff"
)

// A hostile delivery is one whose sender has a secret, and bad intent.
type hostile struct {
	name  string
	body  []byte
	kind  string // as which the page shows it
	shown string // what the page shows of it
}

func hostileDeliveries() []hostile {
	long := strings.Repeat("w", 20_000)
	return []hostile{
		{"markup in JSON", []byte(`{"ref":` + quoted(markup) + `,"repository":{"full_name":` + quoted("a/"+markup) + `}}`), "JSON", "\\u003cscript"},
		{"markup in JSON that is not escaped", []byte(`{"ref":"` + strings.ReplaceAll(markup, `"`, `\"`) + `"}`), "JSON", "<script>window.hit=1"},
		{"markup alone", []byte("<!DOCTYPE html><html><body>" + markup + "</body></html>"), "text", "<!DOCTYPE html><html>"},
		{"controls in JSON", []byte(`{"ref":` + quoted(control) + `}`), "JSON", `\u001b]0;title\u0007`},
		{"controls alone", []byte(control), "text", `a\u202eb\u2066c\u200bd\x1b]0;title\a\x1b[31me\u00a0f\u2028g\ufeff`},
		{"a link", []byte(`"javascript:window.hit=1"`), "JSON", "javascript:window.hit=1"},
		{"JSON that is no UTF-8", []byte("{\"ref\":\"\xff\xfe\xc3(\xed\xa0\x80\"}"), "JSON", `"\xff\xfe\xc3(\xed\xa0\x80"`},
		{"no UTF-8", []byte("<b>\xff\xfe\xc3(\xed\xa0\x80</b>"), "hex", "ff fe c3 28 ed  a0 80"},
		{"deep JSON", []byte(strings.Repeat(`[`, 5000) + strings.Repeat(`]`, 5000)), "JSON", "[\n  [\n    ["},
		{"JSON too deep to read", []byte(strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat(`}`, 100_000)), "text", `{"a":{"a":{"a":`},
		{"a long word", []byte(`{"ref":"` + long + `","repository":{"full_name":"` + long + `"}}`), "JSON", "wwwwwwwwwwwwwwwwwwww"},
		{"25 MB", bytes.Repeat([]byte("<script>hit=1</script>\n"), 25_000_000/23), "text", "<script>hit=1</script>"},
	}
}

// inertFaults returns what of a page is not as the templates have it: a script, an element or a
// link that a sender has made, a control character, or a layout that is wider than the window.
const inertFaults = `(() => {
	const faults = [];
	if ("hit" in window) faults.push("a script has run");
	for (const e of document.querySelectorAll("script, img, iframe, object, embed, video, audio, style, base, meta[http-equiv], pre *")) {
		if (e.getAttribute("src") !== "live.js") faults.push("an element: " + e.outerHTML.slice(0, 200));
	}
	for (const e of document.querySelectorAll("*")) {
		for (const a of e.attributes) if (/^on|^style$/i.test(a.name)) faults.push("an attribute: " + a.name);
	}
	for (const a of document.links) {
		if (!a.href.startsWith(location.origin + "/debug/hooks/")) faults.push("a link: " + a.href.slice(0, 200));
	}
	if (/[^\P{C}\n\t]|[\u2028\u2029\u00a0]/u.test(document.documentElement.textContent)) faults.push("a control character");
	const [is, has] = [document.documentElement.scrollWidth, document.documentElement.clientWidth];
	if (is > has) faults.push("a layout of " + is + " pixels in a window of " + has);
	return faults;
})()`

// inert fails if what a sender chose has an effect on a page.
func (b *browser) inert(what string) {
	b.t.Helper()
	for _, fault := range value(b, "look at "+what, chromedp.Evaluate[[]string](inertFaults)) {
		b.t.Errorf("%s, on %.100s: %s", what, b.path(), fault)
	}
}

// Deliveries that try to run a script, to load something or to break the layout are shown as
// text: when they appear in a live list, when it is loaded, and on their pages. The rig of the
// browser fails on dialogs, on messages of the console, and on requests to other hosts.
func TestHostileDeliveriesAreInert(t *testing.T) {
	t.Parallel()
	s, b := inspectedBrowser(t)
	s.Callback(func(context.Context, *webhook.Delivery) error {
		return webhook.Permanent(errors.New("refused " + markup + control))
	})
	b.run("show on a phone", chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
	b.mark("/")
	all := hostileDeliveries()
	uids := make([]string, len(all))
	for i, h := range all {
		header := http.Header{
			"Content-Type": {"application/json"}, "X-GitHub-Event": {"push"}, "X-GitHub-Delivery": {markup + h.name},
			"X-Shown": {markup, "<b>" + h.name}, "X-Link": {"javascript:hit=1"}, "Accept-Language": {strings.Repeat("w", 5000)},
		}
		must(t, s.Post(t.Context(), h.body, header))
		uids[i] = newest(t, s)
	}
	// Work of the program itself can have any text in any member.
	own := webhook.NewDelivery("shop", control, markup+control, []byte(markup))
	own.ID, own.UID, own.KeyLabel, own.Malformed, own.Unsigned = markup, own.UID+`"><b>&x=1#y`, markup, markup, markup
	own.DedupKeys = []string{markup}
	must(t, s.Inbox.Put(t.Context(), own))

	want := strings.TrimSpace(strings.Repeat("dead ", len(all)+1))
	b.holds("all deliveries", liveStates+` === `+quoted(want))
	b.inert("a live list")
	live := b.rows("#list")
	b.marked()
	b.open("/")
	b.inert("a list")
	loaded := b.rows("#list")
	for i := range live {
		if live[i] != loaded[i] {
			t.Errorf("live\n%q\nloaded\n%q", live[i], loaded[i])
		}
	}

	b.run("show on a large screen", chromedp.EmulateViewport(1280, 740))
	b.inert("a list on a large screen")
	b.open("/delivery?uid=" + uids[0])
	b.inert("a delivery on a large screen")
	b.run("show on a phone", chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
	for i, h := range all {
		at := "/delivery?uid=" + uids[i]
		b.open(at)
		b.inert(h.name)
		b.shows("as " + h.kind)
		if text := b.text("pre"); !strings.Contains(text, h.shown) {
			t.Errorf("%s: the body is shown as %.200q", h.name, text)
		}
		for _, kind := range []string{"JSON", "text", "hex"} {
			b.open(at + "&view=" + kind)
			b.inert(h.name + " as " + kind)
		}
	}
	b.open("/")
	b.next("open the one with a hostile UID", chromedp.Click(chromedp.CSS("#list a")))
	b.shows(own.UID)
	b.inert("a delivery of the program")
	b.click("replay…")
	b.inert("a question")
	b.click("Cancel")

	// So are a form with such a body, and a call that nobody has signed.
	b.open("/send?uid=" + uids[0])
	b.inert("the form of a sending")
	if body := value(b, "the body in the form", chromedp.Value(chromedp.CSS("textarea"))); body != string(all[0].body) {
		t.Errorf("the form has the body %q", body)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Hook("github"), strings.NewReader(markup))
	must(t, err)
	r.Header = http.Header{"Content-Type": {"application/json"}, "X-Hub-Signature-256": {"sha256=" + strings.Repeat("0", 64)}, "X-Shown": {markup}, "X-Github-Event": {markup}}
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	must(t, answer.Body.Close())
	b.open("/calls?refused=1")
	b.inert("the refused calls")
	b.next("open the call", chromedp.Click(chromedp.CSS("main table a")))
	b.inert("a refused call")
	if text := b.text("#body ~ pre"); !strings.Contains(text, "<script>window.hit=1") {
		t.Errorf("the call has the body %q", text)
	}

	// A filter can have any text too: somebody else may have made its URL.
	b.open("/?" + query("text", markup, "key", markup+control, "source", markup))
	b.shows("No delivery matches")
	b.inert("a filter")
	b.expect("status of 400")
	b.open("/?" + query("state", markup))
	b.inert("an error")

	mine := []string{"", "style.css", "live.js", "api/live", "delivery", "act", "send", "calls", "call"}
	for _, u := range b.requested() {
		path, _, _ := strings.Cut(strings.TrimPrefix(u, s.URL+"/"), "?")
		if !slices.Contains(mine, path) {
			t.Errorf("it requests %s", u)
		}
	}
}

// newest returns the UID of the newest delivery.
func newest(t *testing.T, s *inspected.Service) string {
	t.Helper()
	for r, err := range s.Inbox.All(context.Background(), webhook.Filter{Limit: 1}) {
		must(t, err)
		return r.Delivery.UID
	}
	t.Fatal("there are no deliveries")
	return ""
}
