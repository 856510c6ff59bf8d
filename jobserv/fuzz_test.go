package jobserv_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
)

// FuzzVerify checks that an altered body or header never verifies.
func FuzzVerify(f *testing.F) {
	body := fixture(f, "build.detailed.json")
	f.Add(body, vectorSignature)
	f.Add(append(bytes.Clone(body), '\n'), vectorSignature)
	f.Add(body, "sha256="+vectorSignature[7:])
	f.Add(body[1:], vectorSignature)
	f.Add([]byte{}, "sha256:")
	src := source(f, webhook.NewSecret(vectorSecret))
	digest := vectorSignature[len("sha256:"):]
	f.Fuzz(func(t *testing.T, altered []byte, signature string) {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header["X-Jobserv-Sig"] = []string{signature}
		_, err := src.Open(r, altered)
		right := signatureOf(t, webhook.NewSecret(vectorSecret), altered)
		genuine := len(signature) == len(right) && signature[:7] == right[:7] &&
			bytes.EqualFold([]byte(signature[7:]), []byte(right[7:]))
		if genuine != (err == nil) {
			t.Fatalf("signature %q over %q: got %v", signature, altered, err)
		}
		if err != nil && !errors.Is(err, webhook.ErrUnverified) {
			t.Fatalf("got %v, want ErrUnverified", err)
		}
		if err == nil && signature[7:] == digest && !bytes.Equal(altered, body) {
			t.Fatalf("the signature of the vector verifies another body: %q", altered)
		}
	})
}

// FuzzBuild checks that a decoded and encoded Build decodes to the same value.
func FuzzBuild(f *testing.F) {
	for _, text := range builds(f) {
		f.Add(text)
	}
	f.Add([]byte(`{"build_id":1,"runs":null,"status_events":null,"created":1e9,"reason":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var first, second jobserv.Build
		if json.Unmarshal(text, &first) != nil {
			return
		}
		once, err := json.Marshal(first)
		if err != nil {
			t.Fatalf("encode: %v", err)
		}
		if err := json.Unmarshal(once, &second); err != nil {
			t.Fatalf("decode %s: %v", once, err)
		}
		twice, err := json.Marshal(second)
		if err != nil {
			t.Fatalf("encode again: %v", err)
		}
		if !bytes.Equal(once, twice) {
			t.Fatalf("encoded differently the second time:\n%s\n%s", once, twice)
		}
		if first.Project() != second.Project() || first.Result() != second.Result() ||
			first.Duration() != second.Duration() || first.Rerun() != second.Rerun() {
			t.Fatalf("methods return different values after a round trip: %s", once)
		}
		if first.Duration() < 0 {
			t.Fatalf("negative duration: %s", once)
		}
	})
}

// FuzzDescribe checks that the Description agrees with the decoded payload.
func FuzzDescribe(f *testing.F) {
	for _, text := range builds(f) {
		f.Add(text)
	}
	f.Add([]byte(`{"url":"https://h/projects/a/builds/1/","URL":"https://h/projects/b/builds/1/"}`))
	f.Add([]byte(`{"project_name":"a","url":null,"build_url":7}`))
	f.Add([]byte("{\"project_name\":\"\\ud800\xff\"}"))
	describe := jobserv.Source(webhook.NewSecret("x")).Describe
	f.Fuzz(func(t *testing.T, text []byte) {
		about := describe(nil, text)
		if about.Type != "jobserv.build" || about.DedupKeys == nil || len(about.DedupKeys) > 1 {
			t.Fatalf("described as %+v", about)
		}
		var b jobserv.Build
		if check := b.Check(text); (check == nil) != (about.Malformed == nil) {
			t.Fatalf("Check returns %v, Describe %v", check, about.Malformed)
		}
		if about.Malformed != nil {
			if about.OrderingKey != "" || !about.DedupBySignature || len(about.DedupKeys) > 0 {
				t.Fatalf("malformed body is described as %+v", about)
			}
			return
		}
		if json.Unmarshal(text, &b) != nil {
			return
		}
		if about.DedupBySignature != (b.Completed.Text() != "") {
			t.Fatalf("completed is %q, DedupBySignature %v", b.Completed.Text(), about.DedupBySignature)
		}
		if len(about.DedupKeys) > 0 && (!b.Completed.Valid() || b.Project() == "") {
			t.Fatalf("the dedup key is %q of %s", about.DedupKeys, text)
		}
		if got := b.Project(); got != about.OrderingKey {
			t.Fatalf("ordering key is %q, Project returns %q", about.OrderingKey, got)
		}
	})
}

// FuzzEnvelope checks that no answer makes the Client panic, or succeed without
// an envelope.
func FuzzEnvelope(f *testing.F) {
	f.Add(200, fixture(f, "api.tests.json"))
	f.Add(200, []byte(`{"status":"success","data":{"tests":[{"created":null,"context":null}]}}`))
	f.Add(404, []byte(`{"status":"error","message":"Run does not exist"}`))
	f.Add(502, []byte(`<html>`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 599 || status/100 == 3 {
			return
		}
		_, err := client(answering(status, string(body))).Tests(t.Context(), runWith(api+"/t/"))
		if err == nil {
			var e struct{ Status string }
			if status > 299 || json.Unmarshal(body, &e) != nil || e.Status != "success" {
				t.Fatalf("%d %q was accepted", status, body)
			}
			return
		}
		var code *jobserv.StatusError
		if !errors.As(err, &code) && !errors.Is(err, jobserv.ErrAnswer) {
			t.Fatalf("%d %q: got %v, want a StatusError or ErrAnswer", status, body, err)
		}
	})
}
