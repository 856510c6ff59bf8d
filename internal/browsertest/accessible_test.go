package browsertest

import (
	"context"
	"encoding/json"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// A violation is what axe-core finds on a page.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct{ HTML string }
}

// accessible checks the page as it is on a large and on a small screen, light and dark: that
// axe-core finds nothing serious, and that nothing is wider than the screen.
func (b *browser) accessible(page string) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 360} {
			b.run("show "+page, chromedp.EmulateViewport(width, 740), prefer(scheme))
			if value(b, "measure "+page, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > document.documentElement.clientWidth`)) {
				b.t.Errorf("%s is wider than a screen of %d", page, width)
			}
			for _, v := range b.axe(page) {
				if v.Impact == "serious" || v.Impact == "critical" {
					b.t.Errorf("%s, %s, %d wide: %s (%s): %s in %+v", page, scheme, width, v.ID, v.Impact, v.Help, v.Nodes)
				}
			}
		}
	}
	b.run("show "+page, chromedp.EmulateReset())
}

// prefer makes the page light or dark.
func prefer(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
		_, err := cdp.Call(ctx, page, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

// axe returns what axe-core finds. It runs as the tools of a browser do, which the
// Content-Security-Policy does not concern.
func (b *browser) axe(page string) (found []violation) {
	b.t.Helper()
	if axe == "" {
		return nil
	}
	b.run("load axe-core", chromedp.Evaluate[chromedp.Void](axe))
	const run = `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations))`
	text := value(b, "run axe-core on "+page, chromedp.Evaluate[string](run, chromedp.EvalAwaitPromise))
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		b.t.Fatalf("axe-core on %s: %v", page, err)
	}
	return found
}
