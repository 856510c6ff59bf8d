package github_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/internal/samples"
	"github.com/hookhouse/hookhouse/webhook"
)

// FuzzVerify checks that a signed body verifies, and that no other body does.
func FuzzVerify(f *testing.F) {
	f.Add([]byte(publishedBody), []byte("Hello, World?"))
	f.Add([]byte(`{"ref":"a"}`), []byte(`{"ref":"a"} `))
	f.Add([]byte{}, []byte{0})
	f.Add([]byte(formBody), []byte(`{"zen":"x"}`))
	v := github.Verifier(webhook.Keys(secret)...)
	if err := v.Validate(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body, altered []byte) {
		r := newRequest("push", nil)
		if err := v.Sign(r, body); err != nil {
			t.Fatal(err)
		}
		if _, err := v.Verify(r, body); err != nil {
			t.Fatalf("the signed body does not verify: %v", err)
		}
		if bytes.Equal(body, altered) {
			return
		}
		if _, err := v.Verify(r, altered); err == nil {
			t.Fatal("another body verifies")
		}
	})
}

// FuzzPush checks that the second encoding of a Push is equal, and that no
// method panics.
func FuzzPush(f *testing.F) {
	seed(f, "push")
	f.Fuzz(func(t *testing.T, doc []byte) {
		p, ok := fuzzDecode(t, "push", doc).(github.Push)
		if !ok {
			return
		}
		_, branch := p.Branch()
		_, tag := p.Tag()
		if branch && tag {
			t.Fatal("branch and tag")
		}
		p.IsCreated()
		p.IsDeleted()
		p.CommitsComplete()
		added, modified, removed := p.ChangedFiles()
		seen := map[string]bool{}
		for _, list := range [][]string{added, modified, removed} {
			if !slices.IsSorted(list) {
				t.Fatal("not sorted")
			}
			for _, path := range list {
				if seen[path] {
					t.Fatalf("%q is in the lists twice", path)
				}
				seen[path] = true
			}
		}
		p.Repository.OwnerLogin()
	})
}

// FuzzPing checks that the second encoding of a Ping is equal.
func FuzzPing(f *testing.F) {
	seed(f, "ping")
	f.Fuzz(func(t *testing.T, doc []byte) { fuzzDecode(t, "ping", doc) })
}

// FuzzEvents checks the other payloads as FuzzPush does.
func FuzzEvents(f *testing.F) {
	events := slices.Sorted(maps.Keys(decoders))
	for _, x := range fixtures(f) {
		if i := slices.Index(events, x.event); i >= 0 && x.event != "push" && x.event != "ping" {
			f.Add(byte(i), x.body)
		}
	}
	f.Fuzz(func(t *testing.T, i byte, doc []byte) {
		switch p := fuzzDecode(t, events[int(i)%len(events)], doc).(type) {
		case github.PullRequest:
			p.IsMerge()
			p.FromFork()
		case github.Release:
			p.IsPublished()
		case github.WorkflowRun:
			p.Succeeded()
		case github.CheckRun:
			p.Succeeded()
		case github.RegistryPackage:
			p.ImageTag()
		}
	})
}

// FuzzDescribe checks that the Description agrees with the decoded payload, of
// a received and of a stored delivery.
func FuzzDescribe(f *testing.F) {
	for _, x := range fixtures(f) {
		f.Add(x.event, false, x.body)
		f.Add(x.event, true, formOf(x.body))
	}
	f.Add("push", false, []byte(`{"ref":"a","Ref":"b","repository":{"full_name":"o/r"}}`))
	f.Add("push", true, []byte("payload=%7B%7D&payload=%7B%7D"))
	src := github.Source(secret)
	if err := src.Validate(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, event string, form bool, body []byte) {
		r := newRequest("", nil)
		r.Header[http.CanonicalHeaderKey(github.EventHeader)] = []string{event}
		if form {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		about := src.Describe(r, body)
		sign(t, r, body)
		d, err := src.Open(r, body)
		if err != nil {
			t.Fatal(err)
		}
		decode := decoders[event]
		if decode == nil {
			return
		}
		now, err := decode(d)
		later, errLater := decode(samples.Stored(d))
		if (err == nil) != (errLater == nil) {
			t.Fatalf("received: %v; stored: %v", err, errLater)
		}
		if err != nil {
			return
		}
		if !bytes.Equal(encode(t, now), encode(t, later)) {
			t.Fatal("the stored delivery decodes differently")
		}
		if want := keyOf(now); about.OrderingKey != want {
			t.Fatalf("ordering key is %q, from the payload %q", about.OrderingKey, want)
		}
		doc, err := d.Document()
		if err != nil {
			t.Fatal(err)
		}
		if about.DedupBySignature && !hasNewID(now, doc) {
			t.Fatal("DedupBySignature without a new id or a push")
		}
	})
}

// hasNewID reports whether a decoded payload has an id that GitHub creates for
// its event, or is a push under another name.
func hasNewID(p webhook.Payload, doc []byte) bool {
	switch p := p.(type) {
	case github.Status:
		if p.ID > 0 {
			return true
		}
	case github.DeploymentStatus:
		if p.Action == "created" && p.DeploymentStatus.ID > 0 {
			return true
		}
	case github.PullRequest:
		if p.Action == "opened" && p.PullRequest.ID > 0 {
			return true
		}
	}
	var push struct {
		Ref, Before, After *string
		Repository         struct {
			PushedAt int64 `json:"pushed_at"`
		}
	}
	err := json.Unmarshal(doc, &push)
	return err == nil && push.Ref != nil && push.Before != nil && push.After != nil && push.Repository.PushedAt > 0
}

// keyOf returns the ordering key that a decoded payload should have.
func keyOf(p webhook.Payload) string {
	switch p := p.(type) {
	case github.Push:
		return key(p.Repository, "", p.Ref)
	case github.Create:
		return key(p.Repository, "create/", p.Ref)
	case github.Delete:
		return key(p.Repository, "delete/", p.Ref)
	case github.PullRequest:
		return key(p.Repository, "pull/", number(p.Number))
	case github.Release:
		return key(p.Repository, "release/", p.Release.TagName)
	case github.WorkflowRun:
		return key(p.Repository, "workflow_run/", number(p.WorkflowRun.ID))
	case github.CheckRun:
		return key(p.Repository, "check_run/", number(p.CheckRun.ID))
	case github.Status:
		return key(p.Repository, "status/", p.SHA)
	case github.DeploymentStatus:
		return key(p.Repository, "deployment/", number(p.Deployment.ID))
	default:
		return ""
	}
}

func key(r github.Repository, prefix, subject string) string {
	if r.FullName == "" || subject == "" {
		return ""
	}
	return r.FullName + " " + prefix + subject
}

func number(n int64) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func seed(f *testing.F, event string) {
	f.Helper()
	for _, x := range fixtures(f) {
		if x.event == event {
			f.Add(x.body)
		}
	}
}

// fuzzDecode returns the payload of doc, or nil if it does not decode.
func fuzzDecode(t *testing.T, event string, doc []byte) webhook.Payload {
	t.Helper()
	p, err := decoders[event](&webhook.Delivery{Source: "github", Type: "github." + event, Body: doc})
	if err != nil {
		return nil
	}
	checkSecondEncoding(t, event, p)
	return p
}
