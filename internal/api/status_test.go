package api_test

import (
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/internal/api"
)

func TestIsSuccessAndIsRedirect(t *testing.T) {
	for code, want := range map[int][2]bool{
		199: {false, false}, 200: {true, false}, 299: {true, false}, 300: {false, true}, 399: {false, true}, 400: {false, false},
	} {
		if got := [2]bool{api.IsSuccess(code), api.IsRedirect(code)}; got != want {
			t.Errorf("%d: got %v, want %v", code, got, want)
		}
	}
}

func TestMessageIsCutTo256BytesOfUTF8(t *testing.T) {
	x := strings.Repeat("x", 255)
	for text, want := range map[string]string{
		"":               "",
		"Run is missing": "Run is missing",
		x + "y":          x + "y",
		x + "yz":         x + "y",
		x + "\u00e9":     x, // cut within a letter
		"a\xffb":         "ab",
	} {
		if got := api.Message(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestStatusText(t *testing.T) {
	if got := api.StatusText(404, ""); got != "status 404" {
		t.Errorf("got %q", got)
	}
	if got := api.StatusText(404, "no \"run\"\n"); got != `status 404: "no \"run\"\n"` {
		t.Errorf("got %q", got)
	}
}
