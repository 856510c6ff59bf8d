package webhook

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// FuzzClamp checks the contract of clamp: the result is text that every database stores,
// such a text is not changed, and different texts stay different.
func FuzzClamp(f *testing.F) {
	f.Add("", "x")
	f.Add("a\x00b", "a\uFFFDb")
	f.Add(strings.Repeat("é", 128), strings.Repeat("é", 127)+"e")
	f.Add(strings.Repeat("x", 255), strings.Repeat("x", 256))
	f.Add("\xff\xfe", "\xe2\x82")
	f.Fuzz(func(t *testing.T, a, b string) {
		got := clamp(a)
		if len(got) > limit.Name || !utf8.ValidString(got) || strings.Contains(got, "\x00") {
			t.Fatalf("clamp(%q) = %q", a, got)
		}
		if fit := len(a) <= limit.Name && utf8.ValidString(a) && !strings.Contains(a, "\x00"); fit != (got == a) {
			t.Fatalf("clamp(%q) = %q", a, got)
		}
		if clamp(got) != got {
			t.Fatalf("clamp(%q) is not final", a)
		}
		if a != b && got == clamp(b) && got != a && got != b {
			t.Fatalf("%q and %q are both %q", a, b, got)
		}
	})
}
