package main

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

var sender = webhooktest.GitHub{Secret: webhook.NewSecret(hookSecret)}

// pushed describes the payload of a push, with the fields that matter here.
type pushed struct {
	repository, ref, before, after, head string
	created, deleted, forced             bool
	message                              string
	noHead                               bool // head_commit is null
}

func (p pushed) body() []byte {
	if p.before == "" {
		p.before = github.ZeroSHA
	}
	doc := map[string]any{
		"ref": p.ref, "before": p.before, "after": p.after, "created": p.created, "deleted": p.deleted, "forced": p.forced,
		"base_ref": nil, "compare": "https://github.com/acme/app/compare/x", "commits": []any{}, "head_commit": nil,
		"repository": map[string]any{
			"id": 1, "name": "app", "full_name": p.repository, "private": false,
			"owner":     map[string]any{"login": "acme"},
			"clone_url": "https://evil.example.com/x.git", "ssh_url": "ext::sh -c touch% pwned", "git_url": "--upload-pack=touch pwned",
		},
		"pusher": map[string]any{"name": "ada", "email": nil},
	}
	if !p.deleted && !p.noHead {
		if p.head == "" {
			p.head = p.after
		}
		doc["head_commit"] = map[string]any{"id": p.head, "message": cmp.Or(p.message, "<script>alert('title')</script>\nmore"), "tree_id": p.head, "author": map[string]any{"name": "Ada"}}
	}
	body, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	return body
}

// push delivers a push, by default to main of the rig's repository, and fails the
// test unless it is acknowledged.
func (r *rig) push(p pushed) webhooktest.Result {
	r.Helper()
	if p.repository == "" {
		p.repository = r.repo.name
	}
	if p.ref == "" {
		p.ref = "refs/heads/main"
	}
	return r.deliver(p)
}

// deliver delivers a push without defaults, and fails the test unless it is
// acknowledged.
func (r *rig) deliver(p pushed) webhooktest.Result {
	r.Helper()
	result := sender.Deliver(r.Context(), r.p.url+"/hooks/github", "push", p.body())
	if !result.Delivered {
		r.Fatalf("%+v: result.Delivered is false, want true", result)
	}
	return result
}

// get returns the status and the body of a page.
func (r *rig) get(path string) (int, string) {
	r.Helper()
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, r.p.admin+path, nil)
	if err != nil {
		r.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		r.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// page returns a page, and fails the test unless its status is 200.
func (r *rig) page(path string) string {
	r.Helper()
	code, body := r.get(path)
	if code != http.StatusOK {
		r.Fatalf("%v: code = %d, want %d", path, code, http.StatusOK)
	}
	return body
}

// untilPage waits until a page contains a text.
func (r *rig) untilPage(path, text string) {
	r.Helper()
	r.until(path+" contains "+text, func() bool { _, body := r.get(path); return strings.Contains(body, text) })
}

// areas returns the number of work areas.
func (r *rig) areas() int {
	entries, err := os.ReadDir(filepath.Join(r.dir, "data", "work"))
	if err != nil {
		r.Fatal(err)
	}
	return len(entries)
}

// stats reads the numbers of the inbox from the database.
func (r *rig) stats() webhook.Stats {
	r.Helper()
	s, err := connect(filepath.Join(r.dir, "data", "github-ci.db"))
	if err != nil {
		r.Fatal(err)
	}
	defer s.close()
	stats, err := s.Stats(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	return stats
}
