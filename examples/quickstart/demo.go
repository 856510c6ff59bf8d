package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// demoTimeout bounds how long a demo waits until its samples are handled.
const demoTimeout = 30 * time.Second

// A sample is one request as its sender makes it.
type sample struct {
	pattern string // the route that receives it
	body    []byte
	header  map[string]string
}

var demoSamples = []sample{
	{"/hooks/github", webhooktest.GitHubPush(), map[string]string{
		"Content-Type":      "application/json",
		"X-GitHub-Event":    "push",
		"X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
		"User-Agent":        "GitHub-Hookshot/demo",
	}},
	{"/hooks/dockerhub/{token}", webhooktest.DockerHubPush(), map[string]string{"Content-Type": "application/json"}},
	{"/hooks/jobserv", webhooktest.JobServBuild(), map[string]string{"Content-Type": "application/json"}},
	{"/hooks/kudu/{token}", webhooktest.KuduDeployment(), map[string]string{"Content-Type": "application/json; charset=utf-8"}},
}

// A demo sends the samples and waits until they are handled. It implements
// webhook.Runner.
type demo struct {
	log       *slog.Logger
	url       string
	inspector string // URL of the inspector
	sources   []route
	onFinish  func() // called when all samples are handled; if nil, the program keeps listening

	mu      sync.Mutex
	settled map[string]webhook.State // by UID; nil after the demo
	changed chan struct{}
}

func newDemo(log *slog.Logger, url string, sources []route) *demo {
	return &demo{
		log:       log,
		url:       url,
		inspector: url + "/",
		sources:   sources,
		settled:   make(map[string]webhook.State),
		changed:   make(chan struct{}, 1),
	}
}

// settle records the state of a settled claim. It is webhook.Observer.Settled.
func (d *demo) settle(_ context.Context, c webhook.Claim, o webhook.Outcome, _ time.Duration) {
	d.mu.Lock()
	if d.settled != nil {
		d.settled[c.Delivery.UID] = o.State
	}
	d.mu.Unlock()
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// Run sends the samples and returns an error if one of them was not handled.
func (d *demo) Run(ctx context.Context) error {
	if err := d.send(ctx); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if d.onFinish != nil {
		d.onFinish()
		return nil
	}
	d.log.Info("all four samples are handled: open this page to see them and to replay one; stop with Ctrl-C", "inspector", d.inspector)
	return nil
}

// send sends one sample of each sender. It returns nil when all of them are
// handled, by this run or an earlier one.
func (d *demo) send(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, demoTimeout)
	defer cancel()
	var waiting []string
	for _, s := range demoSamples {
		uid, duplicate, err := s.send(ctx, d.url, d.sources)
		if err != nil {
			return fmt.Errorf("%s: %w", s.pattern, err)
		}
		if duplicate {
			d.log.Info("sample is a duplicate: an earlier run received it", "pattern", s.pattern)
			continue
		}
		waiting = append(waiting, uid)
	}
	for len(waiting) > 0 {
		d.mu.Lock()
		state := d.settled[waiting[0]]
		d.mu.Unlock()
		switch state {
		case webhook.Done:
			waiting = waiting[1:]
		case webhook.Dead:
			return errors.New("a sample failed; the log has the reason")
		default: // not handled yet, or to be retried
			select {
			case <-ctx.Done():
				return fmt.Errorf("%d of %d samples were not handled: %w", len(waiting), len(demoSamples), ctx.Err())
			case <-d.changed:
			}
		}
	}
	d.mu.Lock()
	d.settled = nil
	d.mu.Unlock()
	return nil
}

// send signs the sample as its sender would and posts it.
func (s sample) send(ctx context.Context, url string, sources []route) (uid string, duplicate bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+s.pattern, bytes.NewReader(s.body))
	if err != nil {
		return "", false, err
	}
	for name, value := range s.header {
		req.Header.Set(name, value)
	}
	for _, r := range sources {
		if r.pattern != s.pattern {
			continue
		}
		// Sign sets the signature header, or fills the token into the path.
		if err := r.source.Verifier.(webhook.Signer).Sign(req, s.body); err != nil {
			return "", false, err
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", false, err
	}
	defer res.Body.Close()
	var answer struct {
		UID       string `json:"uid"`
		Duplicate bool   `json:"duplicate"`
	}
	if res.StatusCode != http.StatusAccepted {
		return "", false, errors.New(res.Status)
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return "", false, err
	}
	return answer.UID, answer.Duplicate, nil
}
