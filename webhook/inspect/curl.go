package inspect

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// maxCurlBody is the largest body that a command has in itself.
const maxCurlBody = 8 << 10

// A curlView is the command that makes the call of a delivery again.
type curlView struct {
	Text string
	// File is the name of the file that the command needs; empty if it needs none.
	File string
	// Redacted says that headers are REDACTED, so a signature must be made anew.
	Redacted bool
}

// notSent are headers that curl makes itself, or that belong to a connection.
var notSent = []string{"Connection", "Content-Length", "Expect", "Host", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Accept-Encoding"}

// curl returns the command for a shell. What would end a quoted text, or is no printable
// character, is not in it.
func (in *Inspector) curl(d *webhook.Delivery) (v curlView) {
	var b strings.Builder
	b.WriteString(`curl -X POST "$URL"`)
	shown := in.shown(d.Header)
	hasType, lines := false, 0
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		if !isToken(name) || slices.Contains(notSent, name) {
			continue
		}
		for _, value := range shown[name] {
			if visible(value, false) != value || len(value) > 4096 || lines == shownHeaders {
				continue
			}
			lines++
			v.Redacted = v.Redacted || strings.Contains(value, redacted)
			hasType = hasType || name == "Content-Type"
			text := name + ": " + value
			if value == "" {
				text = name + ";" // curl removes a header with "Name:"
			}
			fmt.Fprintf(&b, " \\\n  -H %s", shellQuoted(text))
		}
	}
	if !hasType {
		fmt.Fprintf(&b, " \\\n  -H %s", shellQuoted("Content-Type:")) // and not that of a form
	}
	switch text := string(d.Body); {
	case len(d.Body) == 0:
		b.WriteString(" \\\n  --data-raw ''")
	case len(d.Body) <= maxCurlBody && visible(text, true) == text:
		fmt.Fprintf(&b, " \\\n  --data-raw %s", shellQuoted(text))
	default:
		v.File = fileName(d.UID)
		fmt.Fprintf(&b, " \\\n  --data-binary %s", shellQuoted("@"+v.File))
	}
	v.Text = b.String()
	return v
}

// shellQuoted returns a text as one word of a POSIX shell.
func shellQuoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// isToken reports whether a header can have the name.
func isToken(name string) bool {
	for _, c := range []byte(name) {
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return name != ""
}
