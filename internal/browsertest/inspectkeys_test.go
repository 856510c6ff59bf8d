package browsertest

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A stop is what has the focus.
type stop struct {
	Name     string `json:"name"` // its label or its text
	Outlined bool   `json:"outlined"`
	Shown    bool   `json:"shown"` // it is in the window
	After    bool   `json:"after"` // it comes after the stop before
}

// stopped returns the stop that has the focus, with an empty name if nothing has.
const stopped = `(() => {
	const e = document.activeElement;
	if (e === document.body) return {name: ""};
	const label = e.labels && e.labels.length ? e.labels[0].innerText : e.getAttribute("aria-label") || e.innerText;
	const style = getComputedStyle(e), box = e.getBoundingClientRect(), before = window.stopBefore;
	window.stopBefore = e;
	return {
		name: label.trim().replace(/\s+/g, " "),
		outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0,
		shown: box.width > 0 && box.height > 0 && box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight,
		after: !before || !!(before.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING),
	};
})()`

// tab presses Tab and returns the next stop, which must be visible, in the order of the page.
func (b *browser) tab() string {
	b.t.Helper()
	b.run("press Tab", chromedp.KeyEvent(kb.Tab))
	s := value(b, "what has the focus", chromedp.Evaluate[stop](stopped))
	if s.Name != "" && (!s.Outlined || !s.Shown || !s.After) {
		b.t.Errorf("on %s: %+v", b.path(), s)
	}
	return s.Name
}

// tabTo presses Tab until the focus is on what has a name.
func (b *browser) tabTo(name string) {
	b.t.Helper()
	var names []string
	for range 100 {
		at := b.tab()
		if at == name {
			return
		}
		if at == "" && len(names) > 0 {
			break // after the last stop
		}
		names = append(names, at)
	}
	b.t.Fatalf("on %s Tab does not lead to %q, but to %q", b.path(), name, names)
}

// press presses keys on what has the focus, which leads to another page.
func (b *browser) press(keys string) {
	b.t.Helper()
	b.next("press "+quoted(keys), chromedp.KeyEvent(keys))
}

// With the keyboard alone: no event of a mouse is made.
func TestInspectorByKeyboard(t *testing.T) {
	t.Parallel()
	s, b := inspectedBrowser(t)
	b.open("/")
	var stops []string
	for at := b.tab(); at != ""; at = b.tab() {
		stops = append(stops, at)
	}
	want := []string{
		"Skip to the content", "Deliveries", "Calls", "Acts", "Replays", "Send",
		"waiting 0", "blocked 0", "claimed 0", "done 0", "dead 0", "superseded 0", "ignored 0", "Filter", "Replay the chosen…", "Bury the chosen…",
	}
	if !slices.Equal(stops, want) {
		t.Errorf("Tab leads to %q, want %q", stops, want)
	}

	// The link at the beginning leads over the menu.
	must(t, s.Samples(t.Context()))
	b.reloads("/?type=kudu.deployment&state=done", "kudu.deployment")
	b.reloads("/?type=github.push&state=done", "github.push")
	b.open("/")
	b.tabTo("Skip to the content")
	b.run("skip", chromedp.KeyEvent(kb.Enter))
	if at := b.tab(); !strings.HasPrefix(at, "waiting ") {
		t.Errorf("after the skip Tab leads to %q", at)
	}

	// Filter.
	b.tabTo("Filter")
	b.run("open the filter", chromedp.KeyEvent(kb.Enter))
	b.tabTo("Type")
	b.run("type", chromedp.KeyEvent("github.push"))
	b.tabTo("done")
	b.run("choose a state", chromedp.KeyEvent(" "))
	b.tabTo("Filter")
	b.press(kb.Enter)
	if rows := b.rows("#list"); len(rows) != 1 || !strings.Contains(b.path(), "type=github.push") || !strings.Contains(b.path(), "state=done") {
		t.Errorf("%s has the rows %q", b.path(), rows)
	}

	// Open, show in another way, and read on: the body can be scrolled.
	b.tabTo(value(b, "the time", chromedp.Evaluate[string](`document.querySelector("#list a").innerText`)))
	b.press(kb.Enter)
	delivery := b.path()
	b.tabTo("As hex")
	b.press(kb.Enter)
	b.tabTo("As JSON")
	b.press(kb.Enter)
	b.tabTo("Body")
	eventually(t, "the end of the body", func() bool { // a busy browser can ignore the key
		b.run("scroll the body", chromedp.KeyEvent(kb.End))
		return value(b, "whether it is scrolled", chromedp.Evaluate[bool](`(p => p.scrollHeight > p.clientHeight && p.scrollTop > 0)(document.querySelector("pre"))`))
	})

	// Replay: the question has the focus where the answer goes.
	b.open(delivery)
	b.tabTo("replay…")
	b.press(kb.Enter)
	b.run("why", chromedp.KeyEvent("once more"))
	b.tabTo("replay")
	b.press(kb.Enter)
	eventually(t, "the end of the replay", func() bool {
		b.open(delivery)
		return b.text("main .state") == "done" && strings.Contains(b.text("main"), "once more")
	})

	// Pause and resume.
	b.open("/?type=github.push")
	b.tabTo("Pause github.push")
	b.press(kb.Enter)
	b.run("why", chromedp.KeyEvent("the mirror is full"))
	b.press(kb.Enter)
	b.shows("github.push is paused")
	b.tabTo("Resume")
	b.press(kb.Enter)
	b.tabTo("Cancel")
	b.press(kb.Enter)
	b.shows("github.push is paused")
	must(t, s.GitHub(t.Context(), "push", bytes.ReplaceAll(webhooktest.GitHubPush(), []byte("login page"), []byte("start page"))))
	b.holds("a delivery that waits", liveStates+`.startsWith("waiting done")`)
}
