package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/webhook"
)

// A strategy is a way to make a target run an image. Of one target one call is
// under way at a time.
type strategy interface {
	// recover puts right what a deploy left that did not come to its end, killed
	// or failed: the target is again what it was before, or is what it was to be.
	// It does nothing where nothing was left, and may itself be cut short and
	// called again. Rejected says that the image was found not to run, so that
	// nobody need wait for it.
	recover(ctx context.Context, target string, rejected bool) error
	// replace makes the target run the job's image and reports whether it had to.
	// When it fails the target is as before, or recover makes it so.
	replace(ctx context.Context, j job) (changed bool, err error)
}

// A job is one deploy.
type job struct {
	release
	rule       rule
	repository string // as docker pulls it
	digest     string // what the registry says that the tag is
	last       entry
}

// image is what a person would pull, and pinned the same with its digest, which
// is what is pulled.
func (j job) image() string  { return j.repository + ":" + string(j.tag) }
func (j job) pinned() string { return j.image() + "@" + j.digest }

// What ends a deploy for good. Everything else is tried again.
var (
	// errAbsent: the registry has no such tag.
	errAbsent = errors.New("registry has no such image")
	// errRejected: the image was started and does not run well; to try it again
	// would only disturb the target again.
	errRejected = errors.New("image does not run")
	// errUnsuited: the target is one that the strategy cannot replace.
	errUnsuited = errors.New("target cannot be replaced")
	// errOlder: the target runs a newer version.
	errOlder = errors.New("target runs a newer version")
)

// isFinal reports whether no later attempt can succeed.
func isFinal(err error) bool {
	return errors.Is(err, errAbsent) || errors.Is(err, errRejected) || errors.Is(err, errUnsuited) || errors.Is(err, errOlder)
}

// verdict tells the worker what an error means for the delivery.
func verdict(err error) error {
	switch {
	case errors.Is(err, errOlder):
		return fmt.Errorf("%w: %v", webhook.ErrIgnored, err)
	case isFinal(err):
		return webhook.Permanent(err)
	default:
		return err
	}
}

// A deployer carries out what Docker Hub's calls ask for.
type deployer struct {
	rules    rules
	registry *registry
	inbox    *store
	ledger   *ledger
	strategy strategy
	patience time.Duration // for putting a target right, beyond the attempt's own time
	log      *slog.Logger
	count    func(target, outcome string)

	busy   sync.Map // target to *sync.Mutex
	active sync.WaitGroup
}

// wait lets deploys under way put their targets right. They have d.patience for
// it: one that takes longer hangs, and is put right at the next start.
func (d *deployer) wait() {
	ended := make(chan struct{})
	go func() {
		d.active.Wait()
		close(ended)
	}()
	limit := time.NewTimer(d.patience)
	defer limit.Stop()
	select {
	case <-ended:
	case <-limit.C:
		d.log.Error("a deploy does not end: it is put right at the next start")
	}
}

// deploy brings one target to what is wanted of it. What it returns decides
// what becomes of the order: done, ignored, dead, or tried again.
func (d *deployer) deploy(ctx context.Context, e *webhook.Event[order]) error {
	target := e.Payload.Target
	d.active.Add(1)
	defer d.active.Done()
	// The inbox gives out one order of a target at a time. The lock is for an
	// attempt that has lost its claim and is still putting things right.
	lock, _ := d.busy.LoadOrStore(target, new(sync.Mutex))
	lock.(*sync.Mutex).Lock()
	defer lock.(*sync.Mutex).Unlock()

	last, err := d.ledger.read(ctx, target)
	if err != nil {
		return err
	}
	if err := d.strategy.recover(ctx, target, last.rejected); err != nil {
		return d.failed(ctx, target, last.wanted, fmt.Errorf("put %s right: %w", target, err))
	}
	r, known := d.rules[target]
	if !known || last.wanted.tag == "" || !r.continues(last.rule, last.wanted.tag) {
		return fmt.Errorf("%w: nothing is wanted of %s any more", webhook.ErrIgnored, target)
	}
	j := job{release: last.wanted, rule: r, repository: d.registry.repository(r.repository), last: last}
	start := time.Now()
	changed, err := d.attempt(ctx, &j)
	if err == nil {
		err = d.ledger.succeeded(ctx, target, j.release, j.digest)
	}
	d.report(j, changed, time.Since(start), err)
	if err != nil {
		return d.failed(ctx, target, j.release, err)
	}
	return nil
}

// attempt runs the strategy, and has it put right what it left when it fails.
func (d *deployer) attempt(ctx context.Context, j *job) (changed bool, err error) {
	if j.last.rejected {
		return false, fmt.Errorf("%w, as an earlier attempt has found; %s is as before", errRejected, j.rule.target)
	}
	if j.digest, err = d.registry.digest(ctx, j.rule.repository, j.tag); err != nil {
		return false, err
	}
	if changed, err = d.strategy.replace(ctx, *j); err == nil {
		return changed, nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("%w: %v", context.Cause(ctx), err) // says nothing of the image
	}
	return false, d.putRight(ctx, *j, err)
}

// putRight lets the strategy recover, also when the attempt's time is up, and
// returns the failure with how that went. A target that is not in order is tried
// again, whatever failed; an image that was rejected is not.
func (d *deployer) putRight(ctx context.Context, j job, failure error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.patience)
	defer cancel()
	rejected := errors.Is(failure, errRejected)
	if rejected {
		if err := d.ledger.reject(ctx, j.rule.target, j.release); err != nil {
			failure = fmt.Errorf("%w; %v", failure, err)
		}
	}
	if err := d.strategy.recover(ctx, j.rule.target, rejected); err != nil {
		return fmt.Errorf("%v; and %s is not in order: %w", failure, j.rule.target, err)
	}
	if rejected {
		return fmt.Errorf("%w; rolled back, %s is as before", failure, j.rule.target)
	}
	return failure
}

// failed returns what the worker is told of a failure. Where that is the end of
// the order, its release is not wanted any more.
func (d *deployer) failed(ctx context.Context, target string, rel release, err error) error {
	claim, _ := webhook.ClaimFromContext(ctx)
	if isFinal(err) || claim.Last && !errors.Is(context.Cause(ctx), webhook.ErrShutdown) {
		err = errors.Join(err, d.ledger.failed(context.WithoutCancel(ctx), target, rel))
	}
	return verdict(err)
}

// report tells people and the metrics how a deploy ended.
func (d *deployer) report(j job, changed bool, took time.Duration, err error) {
	log, outcome := d.log.With("target", j.rule.target, "image", j.image(), "took", took.Round(time.Millisecond)), ""
	switch {
	case err == nil && changed:
		outcome = "deployed"
		log.Info(outcome, "digest", j.digest)
	case err == nil:
		outcome = "left alone"
		log.Info(outcome, "digest", j.digest, "reason", "it runs this image already")
	case errors.Is(err, errOlder):
		outcome = "left alone"
		log.Info(outcome, "reason", err)
	case errors.Is(err, errRejected):
		outcome = "rolled back"
		log.Error(outcome, "reason", err)
	default:
		outcome = "failed"
		log.Warn(outcome, "reason", err)
	}
	d.count(j.rule.target, outcome)
}

// olderThan reports whether a target that runs image runs a newer version.
func (j job) olderThan(image string) bool {
	running, ok := tagOf(image, j.repository)
	return ok && j.rule.versions != nil && j.rule.older(j.release, release{tag: running})
}

// tagOf returns the tag in an image's name if it is of the repository.
func tagOf(image, repository string) (dockerhub.Tag, bool) {
	name, _, _ := strings.Cut(image, "@")
	tag, ok := strings.CutPrefix(strings.TrimPrefix(name, "docker.io/"), repository+":")
	return dockerhub.Tag(tag), ok
}
