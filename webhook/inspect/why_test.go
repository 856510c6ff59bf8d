package inspect_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

const (
	ours   = "it is our secret of 2026"
	theirs = "the sender has another one"
)

func TestAWrongSecretIsNamed(t *testing.T) {
	r := newRig(t)
	body := webhooktest.GitHubPush()
	sendGitHub(t, r.receiver(gitHubSource(ours, "a second one")), theirs, body)
	r.requireCause(401, "secret_wrong", `with the label "key-1", with the label "key-2" tried`, []string{ours, theirs}, body)
}

func TestWhiteSpaceInASecretIsNamed(t *testing.T) {
	for _, tt := range []struct{ ours, theirs, cause, help string }{
		{ours + "\n", ours, "secret_padded", `Our secret with the label "key-1"`},
		{" " + ours + " \r\n", ours, "secret_padded", "trim what is read"},
		{ours, ours + "\n", "sender_secret_padded", "with a newline at its end"},
		{ours, ours + "\r\n", "sender_secret_padded", "(CR LF)"},
		{ours, ours + " ", "sender_secret_padded", "with a space at its end"},
		{ours, " " + ours, "sender_secret_padded", "with a space at its beginning"},
		{`"` + ours + "\"\n", ours, "secret_quoted", "in quotes"},
		{"aXQgaXMgYSBzZWNyZXQ=", "it is a secret", "secret_encoded", "is the Base64"},
		{"6974206973206120736563726574", "it is a secret", "secret_encoded", "is the hex text"},
	} {
		r := newRig(t)
		body := webhooktest.GitHubPush()
		sendGitHub(t, r.receiver(gitHubSource(tt.ours)), tt.theirs, body)
		r.requireCause(401, tt.cause, tt.help, []string{ours, "it is a secret", "aXQgaXMgYSBzZWNyZXQ=", "6974206973206120736563726574"}, body)
	}
}

func TestABodyThatAProxyReencodesIsNamed(t *testing.T) {
	indented := func(indent string) func([]byte) []byte {
		return func(b []byte) []byte {
			var out bytes.Buffer
			if err := json.Indent(&out, b, "", indent); err != nil {
				t.Fatal(err)
			}
			return out.Bytes()
		}
	}
	compact := func(b []byte) []byte {
		var out bytes.Buffer
		if err := json.Compact(&out, b); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	replace := func(old, with string) func([]byte) []byte {
		return func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(old), []byte(with)) }
	}
	reencode := func(b []byte) []byte { // as a gateway in Go does
		var v struct {
			Title json.RawMessage `json:"title"`
		}
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		out, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	push := webhooktest.GitHubPush()
	for _, tt := range []struct {
		name   string
		sent   []byte
		change func([]byte) []byte
		help   string
	}{
		{"indented", compact(push), indented("  "), "as compact JSON."},
		{"compacted", indented("  ")(push), compact, "lines indented by two spaces"},
		{"compacted from four", indented("    ")(push), compact, "by four spaces"},
		{"compacted from tabs", indented("\t")(push), compact, "by tabs"},
		{"compacted from Python", []byte(`{"a": [1, {"b": "x, y: z"}], "c": {}, "d": []}`), compact, "a space after each comma and colon"},
		{"newline removed", append(compact(push), '\n'), compact, "with a newline at its end"},
		{"newline added", compact(push), func(b []byte) []byte { return append(b, '\n') }, "without the newline"},
		{"CR LF made LF", []byte("{\r\n \"a\":1\r\n}"), replace("\r\n", "\n"), "CR LF as line ends"},
		{"LF made CR LF", []byte("{\n \"a\":1\n}"), replace("\n", "\r\n"), "with LF as line ends"},
		{"re-encoded by Go", []byte(`{"title":"<a> & b"}`), reencode, "not escaped"},
		{"unescaped", []byte(`{"title":"\u003ca\u003e \u0026 b"}`), func([]byte) []byte { return []byte(`{"title":"<a> & b"}`) }, "as Go's encoding/json writes them"},
		{"ASCII made UTF-8", []byte(`{"title":"caf\u00e9 \ud83d\ude00"}`), func([]byte) []byte { return []byte(`{"title":"café 😀"}`) }, "all characters beyond ASCII escaped"},
		{"UTF-8 made ASCII", []byte(`{"title":"café 😀"}`), func([]byte) []byte { return []byte(`{"title":"caf\u00e9 \ud83d\ude00"}`) }, "no character beyond ASCII escaped"},
		{"slashes of PHP", []byte(`{"url":"https:\/\/acme.example\/"}`), replace(`\/`, "/"), "with / escaped"},
		{"indented and escaped", []byte(`{"title":"<a>"}`), func([]byte) []byte { return []byte("{\n  \"title\": \"\\u003ca\\u003e\"\n}\n") }, "as compact JSON and with <, > and & not escaped"},
		{"byte order mark", compact(push), func(b []byte) []byte { return append([]byte("\ufeff"), b...) }, "without its byte order mark"},
		{"Base64 of a gateway", []byte(`{"a":1}`), func([]byte) []byte { return []byte("eyJhIjoxfQ==") }, "Base64"},
	} {
		r := newRig(t)
		sendGitHub(t, proxy(r.receiver(gitHubSource(ours)), tt.change), ours, tt.sent)
		c := r.last()
		if len(c.Why) == 0 || c.Why[0].Cause != "body_reencoded" {
			t.Errorf("%s: %d %+v %s", tt.name, c.Status, c.Why, c.Body)
			continue
		}
		r.requireCause(401, "body_reencoded", tt.help, []string{ours}, tt.sent, tt.change(tt.sent))
	}
}

func TestAFormAndTheJSONInItAreTakenApart(t *testing.T) {
	push := webhooktest.GitHubPush()
	r := newRig(t)
	// GitHub signs the form; a gateway passes the field on as JSON.
	sender := &webhooktest.GitHub{Secret: webhook.NewSecret(ours), Form: true, Transport: webhooktest.InMemory(proxy(r.receiver(gitHubSource(ours)), func([]byte) []byte { return push }))}
	sender.Deliver(t.Context(), "http://hooks.test/hooks/github", "push", push)
	r.requireCause(401, "json_of_form", "that of a form", []string{ours}, push)

	r = newRig(t)
	toForm := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		proxy(r.receiver(gitHubSource(ours)), func(b []byte) []byte { return formOf(b) }).ServeHTTP(w, req)
	})
	sendGitHub(t, toForm, ours, push)
	r.requireCause(401, "form_of_json", "the JSON in its field payload", []string{ours}, push)
}

func TestABodyThatWasReadBeforeIsNamed(t *testing.T) {
	parse := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			next.ServeHTTP(w, r)
		})
	}
	log := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			next.ServeHTTP(w, r)
		})
	}
	some := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadFull(r.Body, make([]byte, 9))
			next.ServeHTTP(w, r)
		})
	}
	chunked := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.ContentLength = -1
			next.ServeHTTP(w, r)
		})
	}
	push := webhooktest.GitHubPush()
	for _, tt := range []struct {
		name   string
		form   bool
		outer  []func(http.Handler) http.Handler
		inner  []func(http.Handler) http.Handler
		status int
		cause  string
		help   string
	}{
		{"parsed in front", true, []func(http.Handler) http.Handler{parse}, nil, 500, "body_read_before", "parsed as a form"},
		{"read in front", false, []func(http.Handler) http.Handler{log}, nil, 500, "body_read_before", "The receiver got 0 of"},
		{"begun in front", false, []func(http.Handler) http.Handler{some}, nil, 500, "body_read_before", "a handler of this program read the body first"},
		{"parsed in front, of no length", true, []func(http.Handler) http.Handler{parse, chunked}, nil, 401, "body_read_before", "parsed as a form before"},
		{"read in front, of no length", false, []func(http.Handler) http.Handler{log, chunked}, nil, 401, "body_empty", "a middleware read it before"},
		{"parsed between", true, nil, []func(http.Handler) http.Handler{parse}, 500, "body_read_before", "parsed it as a form"},
		{"read between", false, nil, []func(http.Handler) http.Handler{log}, 500, "body_read_before", "is genuine"},
		{"read between, of no length", false, []func(http.Handler) http.Handler{chunked}, []func(http.Handler) http.Handler{log}, 401, "body_read_before", "is genuine"},
	} {
		r := newRig(t)
		h := r.receiver(gitHubSource(ours), tt.inner...)
		for _, m := range tt.outer {
			h = m(h)
		}
		sender := &webhooktest.GitHub{Secret: webhook.NewSecret(ours), Form: tt.form, Transport: webhooktest.InMemory(h)}
		sender.Deliver(t.Context(), "http://hooks.test/hooks/github", "push", push)
		c := r.last()
		if c.Status != tt.status || len(c.Why) == 0 || c.Why[0].Cause != tt.cause {
			t.Errorf("%s: %d %s %+v", tt.name, c.Status, c.Reason, c.Why)
			continue
		}
		r.requireCause(tt.status, tt.cause, tt.help, []string{ours}, push)
	}
}
