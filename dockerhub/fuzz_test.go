package dockerhub_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/webhook"
)

func seed(f *testing.F) {
	for _, body := range fixtures(f) {
		f.Add(body)
	}
	f.Add([]byte(`{"push_data":{"tag":"1","Tag":"2"},"repository":{"repo_name":"a/b"}}`))
	f.Add([]byte("{\"push_data\":{\"tag\":\"\xff\"},\"repository\":{\"repo_name\":\"a\\u0000b\"}}"))
}

// FuzzPush checks that a decoded and encoded Push decodes to the same value.
func FuzzPush(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		var first, second dockerhub.Push
		if json.Unmarshal(body, &first) != nil {
			return
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
		if first.Image() != second.Image() || first.Tag().IsVersion() != second.Tag().IsVersion() {
			t.Errorf("image %q became %q", first.Image(), second.Image())
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
		if about.DedupKeys == nil || len(about.DedupKeys) != 0 || about.ID != "" {
			t.Fatalf("described as %+v", about)
		}
		e, err := webhook.Decode[dockerhub.Push](&webhook.Delivery{Type: about.Type, Body: body})
		if about.Malformed != nil && !errors.Is(err, webhook.ErrMalformed) {
			t.Fatalf("Describe: malformed: %v; Decode: %v, want ErrMalformed", about.Malformed, err)
		}
		if err != nil || about.Type != "dockerhub.push" {
			return
		}
		if about.OrderingKey != "" && about.OrderingKey != e.Payload.Image() {
			t.Errorf("key %q, image %q", about.OrderingKey, e.Payload.Image())
		}
		if about.OrderingKey == "" && e.Payload.Tag() != "" && e.Payload.Repository.RepoName != "" {
			t.Errorf("no key for %q", e.Payload.Image())
		}
	})
}

// FuzzToken checks that no other token verifies.
func FuzzToken(f *testing.F) {
	f.Add(token)
	f.Add(oldToken + " ")
	f.Add("")
	f.Add("\x00" + token)
	src := source()
	if err := src.Validate(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, given string) {
		want := given == token || given == oldToken
		inQuery := httptest.NewRequest(http.MethodPost, "/?token="+url.QueryEscape(given), nil)
		inPath := httptest.NewRequest(http.MethodPost, "/", nil)
		inPath.SetPathValue("token", given)
		for _, r := range []*http.Request{inQuery, inPath} {
			_, err := src.Open(r, nil)
			if (err == nil) != want || err != nil && !errors.Is(err, webhook.ErrUnverified) {
				t.Errorf("%q: got %v, want accepted %v", given, err, want)
			}
			if (src.Verifier.Admit(r) == nil) != want {
				t.Errorf("%q: Admit does not return %v", given, want)
			}
		}
	})
}
