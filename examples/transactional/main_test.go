package main

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// What the tests of the start take of this program.
const (
	name       = "transactional"
	secretName = "JOBSERV_WEBHOOK_SECRET"
	hookPath   = "/hooks/jobserv"
)

func TestBuildIsCountedOnceDespiteKills(t *testing.T) {
	dir, env := t.TempDir(), "JOBSERV_WEBHOOK_SECRET="+secret
	sender := webhooktest.JobServ{Secret: webhook.NewSecret(secret)}
	build := func(id int) []byte {
		return fmt.Appendf(nil, `{"build_id": %d, "url": "https://ci.example.com/projects/acme/lmp/builds/%[1]d/", "status": "PASSED", "runs": [], "completed": "2024-02-29T12:00:00+00:00"}`, id)
	}
	const builds = 20
	p := start(t, dir, env)
	for id := range builds {
		result := sender.Deliver(t.Context(), p.url+"/hooks/jobserv", build(id))
		if !result.Delivered {
			t.Fatal("result.Delivered is false, want true")
		}
		if id%5 == 4 { // at any point between the response and the end of the handler
			p.stop(t, syscall.SIGKILL)
			p = start(t, dir, env)
			again := sender.Deliver(t.Context(), p.url+"/hooks/jobserv", build(id))
			if !again.Delivered {
				t.Fatal("again.Delivered is false, want true")
			}
		}
	}
	// The last build is counted by a process that is not killed, after all others of
	// its project.
	if !sender.Deliver(t.Context(), p.url+"/hooks/jobserv", build(builds)).Delivered {
		t.Fatal(`sender.Deliver(p.url+"/hooks/jobserv", build(builds)).Delivered is false, want true`)
	}
	want := fmt.Sprintf("\"acme/lmp\" was built %d times", builds+1)
	for got := ""; got != want; got = p.next(t) {
		if got == fmt.Sprintf("\"acme/lmp\" was built %d times", builds+2) {
			t.Fatalf("got = %q, want another than %q", got, fmt.Sprintf("\"acme/lmp\" was built %d times", builds+2))
		}
	}
	if got := p.stop(t, syscall.SIGTERM); len(got) != 0 {
		t.Fatalf("a build was counted twice: p.stop(syscall.SIGTERM) = %v, want empty", got)
	}
}
