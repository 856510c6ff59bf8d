package inspect_test

import (
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook/inspect"
)

func TestLinksAreInTheNavigationAndCannotRunScript(t *testing.T) {
	r := newRig(t)
	if page := r.get("").Body.String(); strings.Count(page, "<nav") != 1 || strings.Contains(page, "Own") {
		t.Errorf("without links: %s", page)
	}
	r.Links = []inspect.Link{{Text: "Own <b>", URL: "own?a=1&b=2"}, {Text: "Bad", URL: "javascript:alert(1)"}}
	for _, page := range []string{"", "calls", "acts", "nothing"} {
		text := r.get(page).Body.String()
		if !strings.Contains(text, `<a href="own?a=1&amp;b=2">Own &lt;b&gt;</a>`) || strings.Contains(text, "javascript:") {
			t.Errorf("%s: %s", page, text)
		}
	}
}
