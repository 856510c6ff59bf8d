package notice

import (
	"strings"
	"testing"
)

func TestSlackTextIsEscapedAndBounded(t *testing.T) {
	r := Result{Target: "run:web", Outcome: Failed, Image: "acme/app:1", Reason: "<!everyone> & " + strings.Repeat("é", 3000)}
	text := r.slackText()
	if !strings.HasPrefix(text, ":x: run:web: failed acme/app:1\n&lt;!everyone&gt; &amp; é") || len(text) > 2100 {
		t.Errorf("the text has %d bytes and begins with %q", len(text), text[:60])
	}
}
