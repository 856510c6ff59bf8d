package kudu_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/kudu"
)

// FuzzHooks: whatever a site answers, the Client returns hooks that can be told
// apart, or an error of a known kind that shows no URL.
func FuzzHooks(f *testing.F) {
	for _, body := range fixtures(f) {
		f.Add(200, body)
	}
	f.Add(200, []byte(`[{"id":636200000000000003,"event":null,"url":"u","last_datetime":"08/08/2013 13:24PM"}]`))
	f.Add(200, []byte(`[{"id":"1","url":"u","last_datetime":"0001-01-01T00:00:00","last_context":null}]`))
	f.Add(500, []byte(`{"ExceptionMessage":"Invalid 'https://u:p@h/'","ExceptionType":"System.FormatException"}`))
	f.Add(409, []byte(``))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 599 {
			return
		}
		hooks, err := clientOf(answering(status, string(body))).List(t.Context())
		if err == nil {
			for _, h := range hooks {
				if h.ID == "" || h.URL == "" {
					t.Fatalf("%q was taken", body)
				}
			}
			if !json.Valid(bytes.TrimSpace(body)) || status > 299 {
				t.Fatalf("%d %q was taken", status, body)
			}
			return
		}
		var code *kudu.StatusError
		if !errors.As(err, &code) && !errors.Is(err, kudu.ErrAnswer) {
			t.Fatalf("%d %q: got %v, of no known kind", status, body, err)
		}
		if len(err.Error()) > 2048 || strings.Contains(err.Error(), "://") {
			t.Errorf("%d %q: got %q", status, body, err)
		}
	})
}
