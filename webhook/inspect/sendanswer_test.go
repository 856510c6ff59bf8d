package inspect_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

// A target that writes back what it gets must not make the inspector show a key or a
// signature.
func TestAnAnswerThatRepeatsTheRequestShowsNoProof(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", fmt.Sprint(r.Header))
		w.Header().Set("Location", r.URL.String())
		fmt.Fprintln(w, r.URL, r.URL.Path, r.Header)
		if user, password, ok := r.BasicAuth(); ok {
			fmt.Fprintln(w, user, password)
		}
		_ = json.NewEncoder(w).Encode([]any{r.URL.Path, r.Header}) // the caller has gone
		_, password, _ := r.BasicAuth()
		asJSON := json.NewEncoder(w)
		asJSON.SetEscapeHTML(false) // as in other languages
		_ = asJSON.Encode([]string{r.URL.Path, password})
		fmt.Fprintln(w, html.EscapeString(r.URL.Path+password))
	})
	r := newSendRig(t)
	to := newTarget(t, echo)
	for _, tt := range []struct{ key, path string }{
		{"github", ""}, {"jobserv", ""}, {"dockerhub", "/{token}"}, {"dockerhub", "/?token=x"}, {"kudu", ""}, {"standard", ""},
	} {
		w := r.send(sendBody{"key": tt.key, "url": to.URL + tt.path, "body": "{}"})
		if got := decode[answer](t, w); got.Status != 200 || !strings.Contains(got.Body, "REDACTED") {
			t.Errorf("%s: %+v", tt.key, got)
		}
		requireNoSecret(t, tt.key, w.Body.String(), to.requests())
	}
	broken := newTarget(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = conn.Write([]byte(r.Header.Get("X-Jobserv-Sig") + r.Header.Get("Authorization") + "\r\n\r\n")) // the caller has gone
		_ = conn.Close()
	}))
	for _, key := range []string{"jobserv", "kudu"} {
		w := r.send(sendBody{"key": key, "url": broken.URL, "body": "{}"})
		requireError(t, w, 502, "the log says why")
		requireNoSecret(t, "no HTTP", w.Body.String(), broken.requests())
		requireNoSecret(t, "the log", r.log.String(), broken.requests())
	}
	if !strings.Contains(r.log.String(), "malformed HTTP") {
		t.Errorf("the log: %s", &r.log)
	}
	requireNoSecret(t, "the log", r.log.String(), to.requests())
	requireNoSecret(t, "the acts", r.get("acts").Body.String(), to.requests())
}

// Where the answer is cut, half a signature could remain.
func TestAnAnswerThatIsCutShowsNoPartOfAProof(t *testing.T) {
	for _, before := range []int{0, 7, 64<<10 - 20, 72<<10 - 20} {
		r := newSendRig(t)
		to := newTarget(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, signature, _ := strings.Cut(r.Header.Get("X-Jobserv-Sig"), ":")
			_, _ = w.Write([]byte(strings.Repeat("_", before) + strings.Repeat(signature, 3000))) // the caller has gone
		}))
		got := decode[answer](t, r.send(sendBody{"key": "jobserv", "url": to.URL, "body": "{}"}))
		rest := strings.Trim(strings.ReplaceAll(got.Body, "REDACTED", ""), "_")
		if !got.Cut || rest != "" && !strings.HasPrefix("REDACTED", rest) {
			t.Errorf("after %d bytes: %t, and %q is shown", before, got.Cut, rest)
		}
	}
}

func TestAnAnswerIsReadToALimit(t *testing.T) {
	r := newSendRig(t)
	for _, tt := range []struct {
		name, body, encoding string
		want                 answer
	}{
		{"text", "done", "", answer{Body: "done"}},
		{"nothing", "", "", answer{}},
		{"long", strings.Repeat("é", 1<<20), "", answer{Body: strings.Repeat("é", 32<<10), Cut: true}},
		{"odd", "x" + strings.Repeat("é", 1<<20), "", answer{Body: "x" + strings.Repeat("é", 32<<10-1), Cut: true}},
		{"bytes", "\xff\x00", "", answer{Base64: "/wA="}},
		{"compressed", "x", "gzip", answer{Note: "The body is compressed, and not shown."}},
	} {
		to := newTarget(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if tt.encoding != "" {
				w.Header().Set("Content-Encoding", tt.encoding)
				z := gzip.NewWriter(w)
				defer func() { _ = z.Close() }()
				_, _ = z.Write([]byte(tt.body)) // the caller has gone
				return
			}
			_, _ = w.Write([]byte(tt.body))
		}))
		got := decode[answer](t, r.send(sendBody{"key": "jobserv", "url": to.URL, "body": "{}"}))
		if got.Body != tt.want.Body || got.Base64 != tt.want.Base64 || got.Cut != tt.want.Cut || got.Note != tt.want.Note || !utf8.ValidString(got.Body) {
			t.Errorf("%s: %d bytes, %q, %t, %q", tt.name, len(got.Body), got.Base64, got.Cut, got.Note)
		}
	}
	breaks := newTarget(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("half"))
	}))
	if got := decode[answer](t, r.send(sendBody{"key": "jobserv", "url": breaks.URL, "body": "{}"})); got.Body != "half" || got.Note != "The answer broke off." {
		t.Errorf("%+v", got)
	}
	closed := newTarget(t, nil)
	closed.Close()
	requireError(t, r.send(sendBody{"key": "jobserv", "url": closed.URL, "body": "{}"}), 502, "refused")
}
