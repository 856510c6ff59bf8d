package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/notice"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/registry"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/rule"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/stored"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/target"
	"github.com/hookhouse/hookhouse/webhook"
)

// maxStarts is the number of attempts to start an image, within half a minute. Then it is
// rejected.
const maxStarts = 6

// isPermanent reports whether a retry cannot succeed.
func isPermanent(err error) bool {
	return errors.Is(err, registry.ErrNotFound) || errors.Is(err, target.ErrRejected) || errors.Is(err, target.ErrRefused) || errors.Is(err, target.ErrNewerRunning)
}

// A deployer deploys the images that are pushed to Docker Hub.
type deployer struct {
	rules          rule.Rules
	registry       *registry.Client
	inbox          *store
	states         *stored.States
	targets        map[string]target.Target
	engine         *target.Engine // nil if no rule needs it
	waits          waits
	notify         notice.Channels
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
// the order is done, ignored, dead or retried.
func (d *deployer) deploy(ctx context.Context, e *webhook.Event[deployOrder]) error {
	name := e.Payload.Target
	d.active.Add(1)
	defer d.active.Done()
	// The inbox runs one order of a target at a time. The lock excludes an attempt
	// that has lost its claim and still recovers the target.
	lock, _ := d.locks.LoadOrStore(name, new(sync.Mutex))
	lock.(*sync.Mutex).Lock()
	defer lock.(*sync.Mutex).Unlock()

	state, err := d.states.Read(ctx, name)
	if err != nil {
		return err
	}
	r, known := d.rules[name]
	if !known {
		return fmt.Errorf("%w: %s has no rule any more", webhook.ErrIgnored, name)
	}
	j := job{Release: state.Wanted, rule: r, repository: d.registry.Repository(r.Repository), state: state}
	if err := d.targets[name].Recover(ctx, false); err != nil {
		err = fmt.Errorf("recover %s: %w", name, err)
		return d.fail(ctx, j, err, j.result(false, 0, err))
	}
	if state.Wanted.Tag == "" || !r.Matches(r.Repository, state.Wanted.Tag) {
		return fmt.Errorf("%w: no release is wanted for %s", webhook.ErrIgnored, name)
	}
	start := time.Now()
	changed, err := d.attempt(ctx, &j)
	res := j.result(changed, time.Since(start), err)
	if err != nil {
		return d.fail(ctx, j, err, res)
	}
	d.report(res)
	return d.inbox.InTx(ctx, func(tx *sql.Tx) error {
		last := res
		err := d.states.UpdateTx(ctx, tx, name, func(s *stored.State) {
			s.Deployed, s.Identity = j.Release, j.identity
			s.Unwant(j.Release)
			last = s.Denied.End(res)
		})
		if err != nil {
			return err
		}
		return d.putNotices(ctx, tx, e.Delivery.UID, last)
	})
}

// attempt replaces what the target runs, and recovers the target if that fails.
func (d *deployer) attempt(ctx context.Context, j *job) (changed bool, err error) {
	t := d.targets[j.rule.Target]
	if j.digest, err = d.registry.Digest(ctx, j.rule.Repository, j.Tag); err != nil {
		return false, err
	}
	if j.identity, err = t.Identity(j.digest); err != nil {
		return false, err
	}
	if j.state.Rejected.Has(j.identity) {
		return false, fmt.Errorf("%w: rejected by an earlier attempt; %s is unchanged", target.ErrRejected, j.rule.Target)
	}
	changed, err = t.Replace(ctx, j.target())
	if err == nil || errors.Is(err, target.ErrUnfinished) {
		return changed, err
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("%w: %v", context.Cause(ctx), err) // the error says nothing about the image
	}
	if claim, _ := webhook.ClaimFromContext(ctx); errors.Is(err, target.ErrStart) && claim.Attempt >= maxStarts && d.reachable(ctx) {
		err = fmt.Errorf("%w: %d attempts: %w", target.ErrRejected, claim.Attempt, err)
	}
	return false, d.restore(ctx, *j, err)
}

// restore lets the target recover, even if ctx is done, and returns the
// failure combined with the result. If the recovery fails, the deployment is
// retried, whatever the failure was. A rejected image is not.
func (d *deployer) restore(ctx context.Context, j job, failure error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.recoverTimeout)
	defer cancel()
	rejected := errors.Is(failure, target.ErrRejected)
	if rejected {
		err := d.states.Update(ctx, j.rule.Target, func(s *stored.State) { s.Rejected.Add(j.identity) })
		if err != nil {
			failure = fmt.Errorf("%w; %v", failure, err)
		}
	}
	if err := d.targets[j.rule.Target].Recover(ctx, true); err != nil {
		return fmt.Errorf("%v; recovery of %s failed: %w", failure, j.rule.Target, err)
	}
	if rejected {
		return fmt.Errorf("%w; rolled back %s", failure, j.rule.Target)
	}
	return failure
}

// reachable reports whether the engine answers, or none is needed.
func (d *deployer) reachable(ctx context.Context) bool {
	return d.engine == nil || d.engine.Ping(context.WithoutCancel(ctx)) == nil
}

// fail returns the error for the worker. While the registry or the engine is away, the
// order waits, and no attempt counts. If the order will not run again, its release is no
// longer wanted, and people are notified.
func (d *deployer) fail(ctx context.Context, j job, err error, res notice.Result) error {
	claim, _ := webhook.ClaimFromContext(ctx)
	if !isPermanent(err) && !d.reachable(ctx) {
		err = &target.Unavailable{Err: err}
	}
	d.report(res)
	if away, ok := errors.AsType[*target.Unavailable](err); ok && !isPermanent(err) {
		if err := d.deny(ctx, claim.Delivery.UID, away, res); err != nil {
			return err
		}
		if err = d.waits.settle(ctx, d.inbox, away, err); !webhook.IsPermanent(err) {
			return err
		}
	}
	if isPermanent(err) || webhook.IsPermanent(err) || claim.Last && !errors.Is(context.Cause(ctx), webhook.ErrShutdown) {
		ctx := context.WithoutCancel(ctx)
		err = errors.Join(err, d.inbox.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			last := res
			err := d.states.UpdateTx(ctx, tx, j.rule.Target, func(s *stored.State) {
				s.Unwant(j.Release)
				last = s.Denied.End(res)
			})
			if err != nil {
				return err
			}
			return d.putNotices(ctx, tx, claim.Delivery.UID, last)
		}))
	}
	return deliveryError(err)
}

// deliveryError wraps an error so that the worker ignores, gives up or retries the
// delivery.
func deliveryError(err error) error {
	switch {
	case errors.Is(err, target.ErrNewerRunning):
		return fmt.Errorf("%w: %v", webhook.ErrIgnored, err)
	case isPermanent(err):
		return webhook.Permanent(err)
	default:
		return err
	}
}

// newDeployCounter returns the metric of deployments.
func newDeployCounter() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "dockerhub_deploys_total", Help: "Deployments by outcome: deployed, unchanged, rolled back, failed.",
	}, []string{"target", "outcome"})
}
