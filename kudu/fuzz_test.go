package kudu_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

func seed(f *testing.F) {
	for _, body := range fixtures(f) {
		f.Add(body)
	}
	f.Add([]byte("null"))
	f.Add([]byte(`{"siteName":"s","site_name":"t"}`))
	f.Add([]byte("{\"siteName\":\"\xff\",\"status\":-0,\"endTime\":null,\"author\":null}"))
	f.Add([]byte(`{"job_name":"j","url":"https://u@h:1/","end_time":1e3,"duration":"-1.00:00:00"}`))
}

// roundTrip decodes body, encodes the result and decodes that again. It reports
// an error if the second encoding differs, and returns false if body does not
// decode or is null, which changes no value and which webhook.Decode refuses.
func roundTrip[T any](t *testing.T, body []byte) (first, second T, ok bool) {
	if json.Unmarshal(body, &first) != nil || string(bytes.TrimSpace(body)) == "null" {
		return first, second, false
	}
	once, err := json.Marshal(first)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	if err := json.Unmarshal(once, &second); err != nil {
		t.Fatalf("decode again: %v\n%s", err, once)
	}
	twice, err := json.Marshal(second)
	if err != nil {
		t.Fatalf("encode again: %v", err)
	}
	if diff := cmp.Diff(string(once), string(twice)); diff != "" {
		t.Errorf("encoded differently the second time (-first +second):\n%s", diff)
	}
	return first, second, true
}

// FuzzDeployment checks that a decoded and encoded Deployment decodes to the
// same value.
func FuzzDeployment(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		first, second, ok := roundTrip[kudu.Deployment](t, body)
		if !ok {
			return
		}
		if diff := cmp.Diff(first, second, exported); diff != "" {
			t.Errorf("decoded again (-first +second):\n%s", diff)
		}
	})
}

// FuzzTriggeredJobRun checks the same of a TriggeredJobRun, and its Duration.
func FuzzTriggeredJobRun(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		first, second, ok := roundTrip[kudu.TriggeredJobRun](t, body)
		if !ok {
			return
		}
		d, err := first.Duration()
		e, err2 := second.Duration()
		if d != e || (err == nil) != (err2 == nil) || err != nil && d != 0 {
			t.Errorf("durations %v %v, %v %v", d, err, e, err2)
		}
	})
}

// FuzzDescribe checks that the Description agrees with the decoded payload.
func FuzzDescribe(f *testing.F) {
	seed(f)
	src := source()
	if err := src.Validate(); err != nil {
		f.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		about := src.Describe(r, body)
		if about.DedupKeys == nil || len(about.DedupKeys) > 2 || about.ID != "" {
			t.Fatalf("described as %+v", about)
		}
		d := &webhook.Delivery{Type: about.Type, Body: body}
		var key, dedupKey string
		switch about.Type {
		case "kudu.PostDeployment":
			e, err := webhook.Decode[kudu.Deployment](d)
			if about.Malformed != nil && !errors.Is(err, webhook.ErrMalformed) {
				t.Fatalf("Describe: malformed: %v; Decode: %v, want ErrMalformed", about.Malformed, err)
			}
			if err != nil {
				return
			}
			p := e.Payload
			key = p.Site()
			dedupKey = about.Type + " " + key + " " + p.ID + " " + strings.ToLower(string(p.Status)) + " " + p.EndTime.Text()
		case "kudu.TriggeredJobFinished":
			e, err := webhook.Decode[kudu.TriggeredJobRun](d)
			if about.Malformed != nil && !errors.Is(err, webhook.ErrMalformed) {
				t.Fatalf("Describe: malformed: %v; Decode: %v, want ErrMalformed", about.Malformed, err)
			}
			if err != nil {
				return
			}
			p := e.Payload
			key = strings.ToLower(p.JobName)
			dedupKey = about.Type + " " + key + " " + p.Host() + " " + p.ID + " " + strings.ToLower(string(p.Status)) + " " + p.EndTime.Text()
		default:
			if about.Type != "" || about.Malformed != nil || about.OrderingKey != "" || len(about.DedupKeys) != 0 {
				t.Errorf("described as %+v", about)
			}
			return
		}
		if about.OrderingKey != key {
			t.Errorf("ordering key is %q, from the payload %q", about.OrderingKey, key)
		}
		if len(about.DedupKeys) == 0 {
			return
		}
		if got := about.DedupKeys[0]; got != dedupKey {
			t.Errorf("dedup key is %q, from the payload %q", got, dedupKey)
		}
	})
}

// FuzzToken checks that no other token and no other password verifies.
func FuzzToken(f *testing.F) {
	f.Add(token)
	f.Add(oldToken + " ")
	f.Add("")
	f.Add("\x00" + token)
	f.Add(":" + token)
	src, basic := source(), kudu.BasicSource(webhook.NewSecret(token), webhook.NewSecret(oldToken))
	for _, s := range []webhook.Source{src, basic} {
		if err := s.Validate(); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, given string) {
		want := given == token || given == oldToken
		try := func(place string, s webhook.Source, r *http.Request) {
			_, err := s.Open(r, nil)
			if (err == nil) != want || err != nil && !errors.Is(err, webhook.ErrUnverified) {
				t.Errorf("%q in the %s: got %v, want accepted %v", given, place, err, want)
			}
			if (s.Verifier.Admit(r) == nil) != want {
				t.Errorf("%q in the %s: Admit does not return %v", given, place, want)
			}
		}
		try("query", src, httptest.NewRequest(http.MethodPost, "/?token="+url.QueryEscape(given), nil))
		inPath := httptest.NewRequest(http.MethodPost, "/", nil)
		inPath.SetPathValue("token", given)
		try("path", src, inPath)
		withPassword := httptest.NewRequest(http.MethodPost, "/", nil)
		withPassword.SetBasicAuth("hook", given)
		try("password", basic, withPassword)
	})
}

// FuzzHooks checks that for any answer the Client returns hooks with an ID and
// a URL, or a StatusError or ErrAnswer whose text contains no URL.
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
					t.Fatalf("%q was accepted", body)
				}
			}
			if !json.Valid(bytes.TrimSpace(body)) || status > 299 {
				t.Fatalf("%d %q was accepted", status, body)
			}
			return
		}
		var code *kudu.StatusError
		if !errors.As(err, &code) && !errors.Is(err, kudu.ErrAnswer) {
			t.Fatalf("%d %q: got %v, want a StatusError or ErrAnswer", status, body, err)
		}
		if len(err.Error()) > 2048 || strings.Contains(err.Error(), "://") {
			t.Errorf("%d %q: got %q", status, body, err)
		}
	})
}
