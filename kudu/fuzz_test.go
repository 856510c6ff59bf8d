package kudu_test

import (
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
	f.Add([]byte(`{"siteName":"s","site_name":"t"}`))
	f.Add([]byte("{\"siteName\":\"\xff\",\"status\":-0,\"endTime\":null,\"author\":null}"))
	f.Add([]byte(`{"job_name":"j","url":"https://u@h:1/","end_time":1e3,"duration":"-1.00:00:00"}`))
}

// fixpoint decodes, encodes, decodes and encodes.
func fixpoint[T any](t *testing.T, body []byte) (first, second T, ok bool) {
	if json.Unmarshal(body, &first) != nil {
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
		t.Errorf("not a fixpoint:\n%s", diff)
	}
	return first, second, true
}

// FuzzDeployment: what was decoded and encoded decodes to the same.
func FuzzDeployment(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		first, second, ok := fixpoint[kudu.Deployment](t, body)
		if !ok {
			return
		}
		if diff := cmp.Diff(first, second, exported); diff != "" {
			t.Errorf("decoded again (-first +second):\n%s", diff)
		}
	})
}

// FuzzTriggeredJobRun: the same, and Duration answers.
func FuzzTriggeredJobRun(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		first, second, ok := fixpoint[kudu.TriggeredJobRun](t, body)
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

// FuzzDescribe: what was routed is what is decoded, received or stored.
func FuzzDescribe(f *testing.F) {
	seed(f)
	src := source()
	if err := src.Validate(); err != nil {
		f.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		about := src.Describe(r, body)
		if about.DedupKeys == nil || len(about.DedupKeys) > 1 || about.ID != "" {
			t.Fatalf("described as %+v", about)
		}
		d := &webhook.Delivery{Type: about.Type, Body: body}
		var key, mark string
		switch about.Type {
		case "kudu.PostDeployment":
			e, err := webhook.Decode[kudu.Deployment](d)
			if about.Malformed != nil && !errors.Is(err, webhook.ErrMalformed) {
				t.Fatalf("routing says %v, decoding %v", about.Malformed, err)
			}
			if err != nil {
				return
			}
			p := e.Payload
			key = p.Site()
			mark = about.Type + " " + key + " " + p.ID + " " + strings.ToLower(string(p.Status)) + " " + p.EndTime.Text()
		case "kudu.TriggeredJobFinished":
			e, err := webhook.Decode[kudu.TriggeredJobRun](d)
			if about.Malformed != nil && !errors.Is(err, webhook.ErrMalformed) {
				t.Fatalf("routing says %v, decoding %v", about.Malformed, err)
			}
			if err != nil {
				return
			}
			p := e.Payload
			key = strings.ToLower(p.JobName)
			mark = about.Type + " " + key + " " + p.Host() + " " + p.ID + " " + strings.ToLower(string(p.Status)) + " " + p.EndTime.Text()
		default:
			if about.Type != "" || about.Malformed != nil || about.OrderingKey != "" || len(about.DedupKeys) != 0 {
				t.Errorf("described as %+v", about)
			}
			return
		}
		if about.OrderingKey != key {
			t.Errorf("key %q, decoded %q", about.OrderingKey, key)
		}
		if got := strings.Join(about.DedupKeys, ""); got != "" && got != mark {
			t.Errorf("dedup key %q, decoded %q", got, mark)
		}
	})
}

// FuzzToken: no other token and no other password verifies.
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
				t.Errorf("%q in the %s: admitted is not %v", given, place, want)
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
