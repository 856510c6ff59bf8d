package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/registry"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/rule"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/stored"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/target"
	"github.com/hookhouse/hookhouse/webhook"
)

// A recordedHub answers as Docker Hub does, in the order of its answers; the last one
// remains. The answers were recorded from registry-1.docker.io: a HEAD has no body.
type recordedHub struct {
	answers []recordedAnswer
	asked   []time.Time // for a manifest
}

type recordedAnswer struct {
	status int
	header map[string]string
}

const recordedDigest = "sha256:5b64e0cbc1bc2cd5c8f1dbb8b0cbf0fb7dc4ab9e2c8a5ad6a3d0c7f5d2d8a111"

var (
	// https://docs.docker.com/docker-hub/usage/pulls/: the window is 21600 seconds.
	hubLimits   = recordedAnswer{429, map[string]string{"Retry-After": "21600", "Ratelimit-Limit": "100;w=21600", "Ratelimit-Remaining": "0;w=21600"}}
	hubAway     = recordedAnswer{503, nil}
	hubManifest = recordedAnswer{200, map[string]string{"Docker-Content-Digest": recordedDigest, "Content-Type": "application/vnd.oci.image.index.v1+json", "Content-Length": "9999"}}
)

func (h *recordedHub) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := recordedAnswer{200, map[string]string{"Docker-Distribution-Api-Version": "registry/2.0"}}
	if strings.Contains(r.URL.Path, "/manifests/") {
		h.asked = append(h.asked, time.Now())
		answer = h.answers[0]
		h.answers = h.answers[min(1, len(h.answers)-1):]
	}
	res := &http.Response{StatusCode: answer.status, Header: make(http.Header), Body: io.NopCloser(strings.NewReader("")), Request: r, ContentLength: 9999}
	for name, value := range answer.header {
		res.Header.Set(name, value)
	}
	return res, nil
}

// A fakeTarget counts how often it is replaced.
type fakeTarget struct {
	replaced []time.Time
	fail     func(context.Context) error
}

func (*fakeTarget) Identity(digest string) (string, error) { return digest, nil }
func (*fakeTarget) Recover(context.Context, bool) error    { return nil }
func (f *fakeTarget) Replace(ctx context.Context, _ target.Image) (bool, error) {
	f.replaced = append(f.replaced, time.Now())
	if f.fail != nil {
		return false, f.fail(ctx)
	}
	return true, nil
}

// runOrder runs one order for acme/app:1.5.0 in a bubble until it is settled for good, and
// returns its record.
func runOrder(t *testing.T, hub *recordedHub, fake *fakeTarget, within time.Duration) webhook.Record {
	t.Helper()
	inbox, err := openStore(t.Context(), filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer inbox.close()
	states, err := stored.NewStates(t.Context(), inbox.Inbox)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := registry.New("", "", webhook.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	reg.Transport = hub
	rs := make(rule.Rules)
	if err := rs.Add("acme/app:^1.4=exec:web", ""); err != nil {
		t.Fatal(err)
	}
	d := &deployer{rules: rs, registry: reg, inbox: inbox, states: states, targets: map[string]target.Target{"exec:web": fake}, waits: waits{time.Minute},
		recoverTimeout: time.Minute, log: slog.New(slog.DiscardHandler), onResult: func(string, string) {}}
	rel := rule.Release{Tag: "1.5.0", Received: time.Now()}
	if err := states.Update(t.Context(), "exec:web", func(s *stored.State) { s.Want(rs["exec:web"], rel, "") }); err != nil {
		t.Fatal(err)
	}
	o := webhook.NewDelivery("deploy", deployOrder{}.EventType(), "exec:web", []byte(`{"target":"exec:web"}`))
	if err := inbox.Put(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	var mux webhook.Mux
	webhook.On(&mux, d.deploy)
	ctx, stop := context.WithTimeout(t.Context(), within)
	defer stop()
	worker := webhook.NewWorker(inbox, &mux)
	worker.MaxAttempts, worker.Timeout, worker.Logger, worker.PollInterval = 12, time.Hour, d.log, time.Minute
	worker.Retry = webhook.Backoff{First: time.Second, Max: 10 * time.Minute}
	if err := worker.Run(ctx); err != nil {
		t.Fatal(err)
	}
	record, err := inbox.Get(t.Context(), o.UID)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func TestLimitOfDockerHubIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, fake, start := &recordedHub{answers: []recordedAnswer{hubLimits, hubManifest}}, &fakeTarget{}, time.Now()
		record := runOrder(t, hub, fake, 8*time.Hour)
		if record.State != webhook.Done || len(fake.replaced) != 1 {
			t.Fatalf("the order is %s, deployed %d times", record.State, len(fake.replaced))
		}
		if waited := fake.replaced[0].Sub(start); len(hub.asked) != 2 || waited < 6*time.Hour || waited > 6*time.Hour+2*time.Minute {
			t.Errorf("asked %d times, deployed after %s, want 2 and 6h", len(hub.asked), waited)
		}
	})
}

func TestRegistryAwayForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, fake := &recordedHub{}, &fakeTarget{}
		for range 145 { // every ten minutes
			hub.answers = append(hub.answers, hubAway)
		}
		hub.answers = append(hub.answers, hubManifest)
		record := runOrder(t, hub, fake, 30*time.Hour)
		if record.State != webhook.Done || record.Attempt > 1 || len(fake.replaced) != 1 {
			t.Fatalf("the order is %s after %d attempts, deployed %d times: %s", record.State, record.Attempt, len(fake.replaced), record.Reason)
		}
		if span := hub.asked[len(hub.asked)-1].Sub(hub.asked[0]); span < 22*time.Hour {
			t.Errorf("the registry was away for %s only", span)
		}
	})
}

func TestOrderEndsAfterItsAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeTarget{fail: func(context.Context) error { return io.ErrUnexpectedEOF }}
		record := runOrder(t, &recordedHub{answers: []recordedAnswer{hubManifest}}, fake, 5*time.Hour)
		if record.State != webhook.Dead || len(fake.replaced) != 12 {
			t.Errorf("the order is %s after %d attempts, want dead after 12", record.State, len(fake.replaced))
		}
	})
}
