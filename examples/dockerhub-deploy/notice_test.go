package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/notice"
)

// A mailbox is a server that keeps what is posted to it. It refuses the first post.
type mailbox struct {
	*httptest.Server
	mu    sync.Mutex
	posts map[string][]string // by path
}

func newMailbox(t *testing.T) *mailbox {
	m := &mailbox{posts: make(map[string][]string)}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.posts[r.URL.Path] = append(m.posts[r.URL.Path], string(body))
		if len(m.posts[r.URL.Path]) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(m.Close)
	return m
}

func (m *mailbox) at(path string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.posts[path]...)
}

func TestResultsAreSentAndRetried(t *testing.T) {
	t.Parallel()
	box := newMailbox(t)
	h := newExecHost(t, "latest", "", "-notify="+box.URL+"/url", "-notify-exec=./told.sh")
	h.env = append(h.env, "SLACK_WEBHOOK_URL="+box.URL+"/slack")
	h.write("told.sh", "#!/bin/sh\n[ -e tried ] || { touch tried; exit 1; }\necho $HOOKHOUSE_TARGET $HOOKHOUSE_OUTCOME >> told; cat >> told\n")
	digest := h.push("latest", "")
	h.start()
	h.result("exec:shop", "deployed", 1)
	h.until("the notices", func() bool { return len(box.at("/url")) == 2 && len(box.at("/slack")) == 2 && h.read("told") != "" })
	h.idle()
	var got notice.Result
	if err := json.Unmarshal([]byte(box.at("/url")[1]), &got); err != nil {
		t.Fatal(err)
	}
	got.Seconds = 0
	want := notice.Result{Target: "exec:shop", Rule: "acme/app:latest=exec:shop", Image: h.repository() + ":latest", Digest: digest, Outcome: "deployed"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the result (-want +got):\n%s", diff)
	}
	if want := `{"text":":white_check_mark: exec:shop: deployed ` + h.repository() + `:latest"}`; box.at("/slack")[1] != want {
		t.Errorf("Slack got %s, want %s", box.at("/slack")[1], want)
	}
	if !strings.HasPrefix(h.read("told"), "exec:shop deployed\n{") {
		t.Errorf("the program got %s", h.read("told"))
	}
	if strings.Contains(h.logText(), box.URL) {
		t.Error("the log has the secret URL")
	}
	if h.runs() != "latest" {
		t.Errorf("a notice that failed has deployed again: %s", h.runs())
	}
}
