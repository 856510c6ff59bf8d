package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A delivery of each sender passes three processes and is handled once, also if the sender
// sends it again.
func TestDeliveryOfEachSenderIsHandledOnce(t *testing.T) {
	if rabbit == nil {
		return
	}
	t.Parallel()
	c := newChain(t)
	parts := []*process{c.start("-work"), c.start("-relay"), c.start("-edge")}
	github := webhooktest.GitHub{Secret: webhook.NewSecret(secret)}
	jobserv := webhooktest.JobServ{Secret: webhook.NewSecret(secret)}
	var hub webhooktest.DockerHub
	var kudu webhooktest.Kudu
	push := github.Deliver(t.Context(), c.url("/hooks/github"), "push", webhooktest.GitHubPush())
	for _, r := range []webhooktest.Result{
		push,
		github.Redeliver(t.Context(), push.GUID, c.url("/hooks/github"), "push", webhooktest.GitHubPush()),
		jobserv.Deliver(t.Context(), c.url("/hooks/jobserv"), webhooktest.JobServBuild()),
		hub.Deliver(t.Context(), c.url("/hooks/dockerhub/"+secret), webhooktest.DockerHubPush()),
		kudu.Deliver(t.Context(), c.url("/hooks/kudu/"+secret), webhooktest.KuduDeployment()),
		github.Deliver(t.Context(), c.url("/hooks/github"), "ping", webhooktest.GitHubPing()),
	} {
		if !r.Delivered || r.Attempts[0].Status != 202 {
			t.Errorf("not accepted: %+v", r)
		}
	}
	want := []string{"dockerhub.push", "github.ping", "github.push", "jobserv.build", "kudu.PostDeployment"}
	handled := func() map[string]int {
		c.mu.Lock()
		defer c.mu.Unlock()
		n := make(map[string]int)
		for _, l := range c.handled {
			n[l.Type]++
		}
		return n
	}
	eventually(t, "a line of each type", func() bool { return len(handled()) == len(want) })
	for _, p := range parts {
		requireStatus(t, p.admin+"/healthz", 200)
		requireStatus(t, p.admin+inspectPath, 200)
	}
	metrics := body(t, parts[2].admin+"/metrics")
	if !strings.Contains(metrics, "\nhookhouse_received_total{") || !strings.Contains(metrics, `inbox="local"`) {
		t.Errorf("the metrics of the edge are\n%s", metrics)
	}
	for _, p := range parts {
		p.stop(t)
	}
	n := handled()
	if got := slices.Sorted(maps.Keys(n)); !slices.Equal(got, want) {
		t.Errorf("handled %q, want %q", got, want)
	}
	for typ, times := range n {
		if times != 1 {
			t.Errorf("%s was handled %d times", typ, times)
		}
	}
	for _, p := range parts {
		if log := p.logged(); strings.Contains(log, secret) || strings.Contains(log, "guest:guest") {
			t.Errorf("the log shows a secret:\n%s", log)
		}
	}
}

// All parts may be one process.
func TestOneProcessIsTheWholeChain(t *testing.T) {
	if rabbit == nil {
		return
	}
	t.Parallel()
	c := newChain(t)
	p := c.start("-edge", "-relay", "-work")
	c.requireHandled(c.send(3, c.mustAccept), true)
	requireStatus(t, p.admin+"/healthz", 200)
	p.stop(t)
}
