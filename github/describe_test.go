package github_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/internal/samples"
	"github.com/hookhouse/hookhouse/webhook"
)

func describe(r *http.Request, body []byte) webhook.Description {
	return github.Source(secret).Describe(r, body)
}

func TestOrderingKey(t *testing.T) {
	for fixture, key := range map[string]string{
		"push.branch":                     "tidewater/harbour refs/heads/main",
		"push.forced":                     "tidewater/harbour refs/heads/feat/slack-water",
		"push.deleted":                    "tidewater/harbour refs/heads/feat/slack-water",
		"push.tag-created":                "tidewater/harbour refs/tags/v1.2.0",
		"create.branch":                   "tidewater/harbour create/feat/slack-water",
		"delete.tag":                      "tidewater/harbour delete/v1.1.0",
		"pull_request.synchronize-fork":   "tidewater/harbour pull/12",
		"release.published":               "tidewater/harbour release/v1.2.0",
		"workflow_run.completed":          "tidewater/harbour workflow_run/6200",
		"check_run.completed":             "tidewater/harbour check_run/5150",
		"deployment_status.in-progress":   "tidewater/harbour deployment/301",
		"status.pending":                  "tidewater/harbour status/ed3817da8d335d4a89fe96f47467d4138f05fe4a",
		"ping.repository":                 "",
		"registry_package.container":      "",
		"workflow_dispatch.inputs":        "",
		"repository_dispatch.payload":     "",
		"pull_request.merged-fork-gone":   "tidewater/harbour pull/12",
		"deployment_status.from-workflow": "tidewater/harbour deployment/301",
	} {
		t.Run(fixture, func(t *testing.T) {
			event, _, _ := strings.Cut(fixture, ".")
			body := own(t, fixture)
			about := describe(newRequest(event, body), body)
			if about.Malformed != nil {
				t.Fatal(about.Malformed)
			}
			if about.OrderingKey != key {
				t.Fatalf("about.OrderingKey = %q, want %q", about.OrderingKey, key)
			}
			form := newRequest(event, nil)
			form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if diff := cmp.Diff(about, describe(form, formOf(body))); diff != "" {
				t.Errorf("as a form (-json +form):\n%s", diff)
			}
		})
	}
}

func TestMissingAndInvalidHeaders(t *testing.T) {
	body := own(t, "push.branch")
	for _, c := range []struct {
		name   string
		change func(http.Header)
		typ    string
		dedup  int // number of dedup keys
	}{
		{"all headers", func(http.Header) {}, "github.push", 2},
		{"no event", func(h http.Header) { h.Del(github.EventHeader) }, "github.unknown", 2},
		{"two events", func(h http.Header) { h.Add(github.EventHeader, "ping") }, "github.unknown", 2},
		{"an event with an invalid name", func(h http.Header) { h.Set(github.EventHeader, "push\tall") }, "github.unknown", 2},
		{"an event in upper case", func(h http.Header) { h.Set(github.EventHeader, "Push") }, "github.unknown", 2},
		{"an event of 65 characters", func(h http.Header) { h.Set(github.EventHeader, strings.Repeat("a", 65)) }, "github.unknown", 2},
		{"an event without a payload type", func(h http.Header) { h.Set(github.EventHeader, "issues") }, "github.issues", 2},
		{"no id", func(h http.Header) { h.Del(github.DeliveryHeader) }, "github.push", 1},
		{"two ids", func(h http.Header) { h.Add(github.DeliveryHeader, "x") }, "github.push", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRequest("push", body)
			c.change(r.Header)
			d := open(t, r, body)
			if d.Type != c.typ {
				t.Fatalf("d.Type = %q, want %q", d.Type, c.typ)
			}
			if len(d.DedupKeys) != c.dedup {
				t.Fatalf("len(d.DedupKeys) = %d, want %d: %v", len(d.DedupKeys), c.dedup, d.DedupKeys)
			}
			if !strings.HasPrefix(d.DedupKeys[c.dedup-1], "mac:") {
				t.Fatal(`strings.HasPrefix(d.DedupKeys[c.dedup-1], "mac:") is false, want true`)
			}
		})
	}
}

// If describe read the first of two equal names and decoding the last, they
// would disagree about a signed body.
func TestAmbiguousBodiesAreMalformed(t *testing.T) {
	for _, c := range []struct{ name, event, body string }{
		{"ref twice", "push", `{"ref":"refs/heads/a","ref":"refs/heads/b","repository":{"full_name":"o/r"}}`},
		{"ref in another case", "push", `{"ref":"refs/heads/a","Ref":"refs/heads/b","repository":{"full_name":"o/r"}}`},
		{"ref in another case alone", "push", `{"REF":"refs/heads/b","repository":{"full_name":"o/r"}}`},
		{"repository twice", "push", `{"ref":"refs/heads/a","repository":{"full_name":"o/r"},"repository":{"full_name":"o/s"}}`},
		{"full_name twice", "release", `{"release":{"tag_name":"v1"},"repository":{"full_name":"o/r","full_name":"o/s"}}`},
		{"number in another case", "pull_request", `{"number":1,"NUMBER":2,"repository":{"full_name":"o/r"}}`},
		{"sha with a long s, which equals s if case is ignored", "status", `{"sha":"a","ſha":"b","repository":{"full_name":"o/r"}}`},
		{"the check's id twice", "check_run", `{"check_run":{"id":1,"id":2},"repository":{"full_name":"o/r"}}`},
		{"two deployments", "deployment_status", `{"deployment":{"id":1},"Deployment":{"id":2},"repository":{"full_name":"o/r"}}`},
		{"a name that is escaped", "push", `{"ref":"a","r\u0065f":"b","repository":{"full_name":"o/r"}}`},
		{"not JSON", "push", `{"ref":`},
		{"something after the end", "push", `{"ref":"refs/heads/a"} {}`},
		{"empty", "push", ``},
	} {
		for _, form := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				body := []byte(c.body)
				r := newRequest(c.event, nil)
				if form {
					body = formOf(body)
					r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				}
				if err := describe(r, body).Malformed; err == nil {
					t.Fatal("describe(r, body).Malformed is nil, want an error")
				}
				d := open(t, r, body)
				if d.OrderingKey != "" {
					t.Fatalf("d.OrderingKey = %q, want empty", d.OrderingKey)
				}
				_, err := decoders[c.event](d)
				if !errors.Is(err, webhook.ErrMalformed) {
					t.Fatalf("error = %v, want %v", err, webhook.ErrMalformed)
				}
				_, err = decoders[c.event](samples.Stored(d))
				if !errors.Is(err, webhook.ErrMalformed) {
					t.Fatalf("error = %v, want %v", err, webhook.ErrMalformed)
				}
			})
		}
	}
}

func TestInvalidFormsAreMalformed(t *testing.T) {
	for name, body := range map[string]string{
		"no payload field": "other=1",
		"two of them":      "payload=%7B%7D&payload=%7B%7D",
		"badly encoded":    "payload=%7",
		"payload not JSON": "payload=hello",
		"an empty payload": "payload=",
	} {
		t.Run(name, func(t *testing.T) {
			r := newRequest("push", nil)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			d := open(t, r, []byte(body))
			for _, d := range []*webhook.Delivery{d, samples.Stored(d)} {
				_, err := webhook.Decode[github.Push](d)
				if !errors.Is(err, webhook.ErrMalformed) {
					t.Fatalf("error = %v, want %v", err, webhook.ErrMalformed)
				}
			}
		})
	}
}

// A subject of another kind than the payload decodes gives no ordering key.
// Decoding returns the error.
func TestInvalidSubjectsHaveNoOrderingKey(t *testing.T) {
	for name, c := range map[string]struct{ event, body string }{
		"no repository":          {"push", `{"ref":"refs/heads/a"}`},
		"no ref":                 {"push", `{"repository":{"full_name":"o/r"}}`},
		"ref is a number":        {"push", `{"ref":1,"repository":{"full_name":"o/r"}}`},
		"ref is null":            {"push", `{"ref":null,"repository":{"full_name":"o/r"}}`},
		"number is text":         {"pull_request", `{"number":"12","repository":{"full_name":"o/r"}}`},
		"number has an exponent": {"pull_request", `{"number":1e1,"repository":{"full_name":"o/r"}}`},
		"number is zero":         {"pull_request", `{"number":0,"repository":{"full_name":"o/r"}}`},
		"a list":                 {"push", `[]`},
	} {
		t.Run(name, func(t *testing.T) {
			about := describe(newRequest(c.event, nil), []byte(c.body))
			if about.Malformed != nil {
				t.Fatal(about.Malformed)
			}
			if about.OrderingKey != "" {
				t.Fatalf("about.OrderingKey = %q, want empty", about.OrderingKey)
			}
		})
	}
}
