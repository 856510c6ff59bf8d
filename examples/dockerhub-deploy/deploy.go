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

// A strategy is a way to make a target run an image. For each target, one method
// call runs at a time.
type strategy interface {
	// recover cleans up after a deployment that was killed or failed: it either
	// restores the previous state of the target or completes the deployment. It does
	// nothing if there is nothing to clean up. It may be interrupted and called again.
	// If rejected is true, the image is known not to run, so recover does not wait
	// for it.
	recover(ctx context.Context, target string, rejected bool) error
	// replace makes the target run the job's image and reports whether it changed the
	// target. If it fails, the target is unchanged or recover restores it.
	replace(ctx context.Context, j job) (changed bool, err error)
}

// A job is one deployment of an image to a target.
type job struct {
	release
	rule       rule
	repository string // name for docker pull
	digest     string // digest of the tag, from the registry
	state      targetState
}

// image returns the name of the image with its tag. pinnedImage adds the digest;
// it is the name that is pulled.
func (j job) image() string       { return j.repository + ":" + string(j.tag) }
func (j job) pinnedImage() string { return j.image() + "@" + j.digest }

// Permanent errors of a deployment. After any other error it is retried.
var (
	// errImageNotFound means that the registry does not have the tag.
	errImageNotFound = errors.New("registry has no such image")
	// errRejected means that the image was started and is not healthy. A retry would
	// only disturb the target again.
	errRejected = errors.New("image does not run")
	// errNotReplaceable means that the strategy cannot replace the target.
	errNotReplaceable = errors.New("target cannot be replaced")
	// errNewerRunning means that the target runs a newer version.
	errNewerRunning = errors.New("target runs a newer version")
)

// isPermanent reports whether a retry cannot succeed.
func isPermanent(err error) bool {
	return errors.Is(err, errImageNotFound) || errors.Is(err, errRejected) || errors.Is(err, errNotReplaceable) || errors.Is(err, errNewerRunning)
}

// deliveryError wraps an error so that the worker ignores, gives up or retries the
// delivery.
func deliveryError(err error) error {
	switch {
	case errors.Is(err, errNewerRunning):
		return fmt.Errorf("%w: %v", webhook.ErrIgnored, err)
	case isPermanent(err):
		return webhook.Permanent(err)
	default:
		return err
	}
}

// A deployer deploys the images that are pushed to Docker Hub.
type deployer struct {
	rules          rules
	registry       *registry
	inbox          *store
	states         *stateStore
	strategy       strategy
	recoverTimeout time.Duration // to recover a target, in addition to the attempt's own time
	log            *slog.Logger
	onResult       func(target, outcome string)

	locks  sync.Map // *sync.Mutex by target
	active sync.WaitGroup
}

// waitActive waits until running deployments have recovered their targets, for at
// most d.recoverTimeout. One that takes longer hangs and is recovered at the next
// start.
func (d *deployer) waitActive() {
	done := make(chan struct{})
	go func() {
		d.active.Wait()
		close(done)
	}()
	limit := time.NewTimer(d.recoverTimeout)
	defer limit.Stop()
	select {
	case <-done:
	case <-limit.C:
		d.log.Error("a deployment hangs and will be recovered at the next start")
	}
}

// deploy deploys the wanted release of one target. Its error determines whether
// the request is done, ignored, dead or retried.
func (d *deployer) deploy(ctx context.Context, e *webhook.Event[deployRequest]) error {
	target := e.Payload.Target
	d.active.Add(1)
	defer d.active.Done()
	// The inbox runs one request of a target at a time. The lock excludes an attempt
	// that has lost its claim and still recovers the target.
	lock, _ := d.locks.LoadOrStore(target, new(sync.Mutex))
	lock.(*sync.Mutex).Lock()
	defer lock.(*sync.Mutex).Unlock()

	state, err := d.states.read(ctx, target)
	if err != nil {
		return err
	}
	if err := d.strategy.recover(ctx, target, state.rejected); err != nil {
		return d.fail(ctx, target, state.wanted, fmt.Errorf("recover %s: %w", target, err))
	}
	r, known := d.rules[target]
	if !known || state.wanted.tag == "" || !r.stillMatches(state.rule, state.wanted.tag) {
		return fmt.Errorf("%w: no release is wanted for %s", webhook.ErrIgnored, target)
	}
	j := job{release: state.wanted, rule: r, repository: d.registry.repository(r.repository), state: state}
	start := time.Now()
	changed, err := d.attempt(ctx, &j)
	if err == nil {
		err = d.states.setDeployed(ctx, target, j.release, j.digest)
	}
	d.report(j, changed, time.Since(start), err)
	if err != nil {
		return d.fail(ctx, target, j.release, err)
	}
	return nil
}

// attempt runs the strategy, and recovers the target if that fails.
func (d *deployer) attempt(ctx context.Context, j *job) (changed bool, err error) {
	if j.state.rejected {
		return false, fmt.Errorf("%w: rejected by an earlier attempt; %s is unchanged", errRejected, j.rule.target)
	}
	if j.digest, err = d.registry.digest(ctx, j.rule.repository, j.tag); err != nil {
		return false, err
	}
	if changed, err = d.strategy.replace(ctx, *j); err == nil {
		return changed, nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("%w: %v", context.Cause(ctx), err) // the error says nothing about the image
	}
	return false, d.recoverTarget(ctx, *j, err)
}

// recoverTarget lets the strategy recover, even if ctx is done, and returns the
// failure combined with the result. If the recovery fails, the deployment is
// retried, whatever the failure was. A rejected image is not.
func (d *deployer) recoverTarget(ctx context.Context, j job, failure error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.recoverTimeout)
	defer cancel()
	rejected := errors.Is(failure, errRejected)
	if rejected {
		if err := d.states.setRejected(ctx, j.rule.target, j.release); err != nil {
			failure = fmt.Errorf("%w; %v", failure, err)
		}
	}
	if err := d.strategy.recover(ctx, j.rule.target, rejected); err != nil {
		return fmt.Errorf("%v; recovery of %s failed: %w", failure, j.rule.target, err)
	}
	if rejected {
		return fmt.Errorf("%w; rolled back %s", failure, j.rule.target)
	}
	return failure
}

// fail returns the error for the worker. If the request will not run again, its
// release is no longer wanted.
func (d *deployer) fail(ctx context.Context, target string, rel release, err error) error {
	claim, _ := webhook.ClaimFromContext(ctx)
	if isPermanent(err) || claim.Last && !errors.Is(context.Cause(ctx), webhook.ErrShutdown) {
		err = errors.Join(err, d.states.clearWanted(context.WithoutCancel(ctx), target, rel))
	}
	return deliveryError(err)
}

// report logs and counts the outcome of a deployment.
func (d *deployer) report(j job, changed bool, took time.Duration, err error) {
	log, outcome := d.log.With("target", j.rule.target, "image", j.image(), "took", took.Round(time.Millisecond)), ""
	switch {
	case err == nil && changed:
		outcome = "deployed"
		log.Info(outcome, "digest", j.digest)
	case err == nil:
		outcome = "unchanged"
		log.Info(outcome, "digest", j.digest, "reason", "the target already runs this image")
	case errors.Is(err, errNewerRunning):
		outcome = "unchanged"
		log.Info(outcome, "reason", err)
	case errors.Is(err, errRejected):
		outcome = "rolled back"
		log.Error(outcome, "reason", err)
	default:
		outcome = "failed"
		log.Warn(outcome, "reason", err)
	}
	d.onResult(j.rule.target, outcome)
}

// olderThan reports whether the job's version is older than that of a running
// image.
func (j job) olderThan(image string) bool {
	running, ok := tagOf(image, j.repository)
	return ok && j.rule.versions != nil && j.rule.older(j.release, release{tag: running})
}

// tagOf returns the tag in an image's name, or false if the image is not from the
// repository.
func tagOf(image, repository string) (dockerhub.Tag, bool) {
	name, _, _ := strings.Cut(image, "@")
	tag, ok := strings.CutPrefix(strings.TrimPrefix(name, "docker.io/"), repository+":")
	return dockerhub.Tag(tag), ok
}
