package github

import (
	"errors"
	"net/http"
	"testing"
)

func TestTheNextCursorIsThatOfTheLink(t *testing.T) {
	for link, want := range map[string]string{
		"": "", `next`: "",
		`<https://api.github.com/x?cursor=v1_7&per_page=100>; rel="next"`:                                        "v1_7",
		`<https://api.github.com/x?cursor=v1_3>; rel="prev", <https://api.github.com/x?cursor=v1_7>; rel="next"`: "v1_7",
		`<https://api.github.com/x?cursor=v1_3>; rel="prev"`:                                                     "",
		`<https://api.github.com/x?cursor=a,b;c>; rel=next`:                                                      "error",
		`<https://api.github.com/x?cursor=a,b>; rel=next, <https://api.github.com/x?cursor=c>; rel="last"`:       "a,b",
		`<https://api.github.com/x?cursor=c>; title="z"; rel="last next"`:                                        "c",
		`<https://api.github.com/x?cursor=c>; rel="nextdoor"`:                                                    "",
		`<https://api.github.com/x?page=2>; rel="next"`:                                                          "error",
		`<%zz?cursor=c>; rel="next"`:                                                                             "error",
	} {
		got, err := nextCursor(http.Header{"Link": {link}})
		if want == "error" && errors.Is(err, ErrAnswer) {
			continue
		}
		if got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", link, got, err, want)
		}
	}
}
