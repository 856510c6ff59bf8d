package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/examples/github-ci/buildlog"
	"github.com/hookhouse/hookhouse/examples/github-ci/builds"
	"github.com/hookhouse/hookhouse/examples/github-ci/git"
	"github.com/hookhouse/hookhouse/examples/github-ci/jobs"
	"github.com/hookhouse/hookhouse/examples/github-ci/status"
	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// diskRetry is how long a build waits for free space before it is tried again.
const diskRetry = 30 * time.Second

// settleTimeout bounds the time to record a result, also during shutdown.
const settleTimeout = 5 * time.Second

// A builder builds pushes. The worker calls it for one push of a ref at a time.
type builder struct {
	*settings
	inbox        *sqlinbox.Inbox
	builds       *builds.Store
	dir          *jobs.Dir
	repositories *git.Store
	logs         *buildlog.Logs
	report       status.Reporter
	reserve      jobs.Reserve
	stopBuilds   context.Context // done when running builds must stop
	log          *slog.Logger
	onBuilt      func(b builds.Build, took time.Duration)
}

// handlePush builds one push. It returns an error if the build is to run again. A
// failed build is a result, not an error.
func (b *builder) handlePush(ctx context.Context, e *webhook.Event[github.Push]) error {
	p := e.Payload
	rule := b.rules.lookup(p.Repository.FullName)
	if rule == nil {
		return b.ignore(ctx, e.Delivery, "repository", fmt.Sprintf("%.100q", p.Repository.FullName))
	}
	if err := git.CheckRef(p.Ref); err != nil {
		return webhook.Permanent(err)
	}
	if !rule.matches(p) {
		return b.ignore(ctx, e.Delivery, "ref", fmt.Sprintf("%.200s of %s", p.Ref, rule.Name))
	}
	one := builds.Build{
		ID:         e.UID,
		Repository: rule.Name,
		Ref:        p.Ref,
		Title:      titleOf(p),
		Context:    rule.contextOf(p),
		Forced:     p.Forced,
		Received:   e.ReceivedAt,
	}
	if p.IsDeleted() {
		b.log.Info("ref deleted", "repository", rule.Name, "ref", p.Ref)
		if err := b.builds.EndForDeletedRef(ctx, one); err != nil {
			return err
		}
		return b.repositories.Drop(ctx, rule.Remote, p.Ref)
	}
	sha, isCommit, err := shaOf(p)
	if err != nil {
		return webhook.Permanent(err)
	}
	if isCommit {
		one.Commit = sha
	}
	claim, ok := webhook.ClaimFromContext(ctx)
	if !ok {
		return errors.New("the context has no claim: the builder must be called by a Worker")
	}
	if short, err := b.reserve.IsShort(); err != nil || short {
		return errors.Join(err, b.waitForDisk(ctx, claim, one))
	}
	return b.build(ctx, claim, rule, sha, &one)
}

// ignore leaves a push out. If its build was to run again, that ends: the configuration has
// changed since it began.
func (b *builder) ignore(ctx context.Context, d *webhook.Delivery, field, value string) error {
	b.log.Info("push not built: "+field+" is not configured", "push", d)
	if err := b.builds.SetError(ctx, d.UID, "cannot run again: the "+field+" is not configured any more"); err != nil {
		return err
	}
	return fmt.Errorf("%w: %s is not configured", webhook.ErrIgnored, value)
}

// waitForDisk makes a push wait, without counting an attempt.
func (b *builder) waitForDisk(ctx context.Context, claim webhook.Claim, one builds.Build) error {
	b.log.Warn("build waits: the disk of -data has less free space than -disk-reserve", "reserve", b.reserve.Size.String(), "repository", one.Repository, "ref", one.Ref)
	return b.builds.Postpone(ctx, claim, "waits for "+b.reserve.Size.String()+" of free disk space", diskRetry)
}

// build runs one build and records its result.
func (b *builder) build(ctx context.Context, claim webhook.Claim, rule *rule, sha string, one *builds.Build) error {
	log, err := b.logs.Open(one.ID)
	if err != nil {
		return err
	}
	defer log.Close()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	defer context.AfterFunc(b.stopBuilds, func() { end(webhook.ErrShutdown) })()
	if err := b.builds.Begin(ctx, one); err != nil {
		return err
	}
	log.Printf("run %d of %s %s at %s", one.Run, one.Repository, one.Ref, sha)
	if one.Forced {
		log.Printf("forced push")
	}

	user := b.users.Take()
	defer b.users.Put(user)
	go b.reserve.Watch(ctx, func() { end(errDiskFull) })
	err = b.execute(ctx, user, rule, sha, one, log)
	took := time.Since(one.Started).Round(time.Millisecond)
	// ctx may be done by now. The result is recorded in any case.
	saveCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	retry := func(why string, reason error) error {
		next := "it will run again"
		if claim.Last {
			next = "this was the last attempt"
		}
		log.Printf("%s: %s", why, next)
		return errors.Join(reason, b.builds.SetWaiting(saveCtx, one, why))
	}
	exit, failed := jobs.ExitStatus(err)
	switch {
	case err == nil:
		one.State, one.Detail = builds.Success, fmt.Sprintf("passed in %s", took)
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), webhook.ErrShutdown):
		log.Printf("github-ci was stopped during this run: it will run again")
		return b.builds.SetWaitingUncounted(saveCtx, claim, one, "github-ci was stopped during this run")
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), errDiskFull):
		one.State, one.Detail = builds.Error, fmt.Sprintf("stopped after %s: the disk for builds was nearly full", took)
	case ctx.Err() != nil:
		return retry("this run was canceled", context.Cause(ctx))
	case errors.Is(err, errTimeLimit):
		one.State, one.Detail = builds.Failure, fmt.Sprintf("exceeded the time limit of %s and was killed", rule.Timeout)
	case errors.Is(err, git.ErrGone):
		one.State, one.Detail = builds.Error, err.Error()
	case errors.Is(err, errCheckout):
		return retry(err.Error(), err)
	case failed:
		one.State, one.Detail = builds.Failure, fmt.Sprintf("%s after %s", exit, took)
	default:
		return retry(err.Error(), err)
	}
	log.Printf("%s: %s", one.State, one.Detail)
	if err := b.builds.End(saveCtx, one); err != nil {
		return err
	}
	b.onBuilt(*one, took)
	b.log.Info("build finished", "repository", one.Repository, "ref", one.Ref, "commit", one.Commit, "state", one.State, "detail", one.Detail, "build", one.ID)
	return nil
}

var (
	errCheckout  = errors.New("checkout")
	errTimeLimit = errors.New("time limit exceeded")
	errDiskFull  = errors.New("the disk is nearly full") // ends the builds that run
)

// execute checks the commit out, runs the command, and removes the work area. Its error
// wraps errTimeLimit, git.ErrGone or errCheckout, or is the exit error of the command.
func (b *builder) execute(ctx context.Context, user jobs.User, rule *rule, sha string, one *builds.Build, log *buildlog.Log) error {
	area, err := b.dir.Area(fmt.Sprintf("%s-%d", one.ID, one.Run))
	if err != nil {
		return fmt.Errorf("%w: %w", errCheckout, err)
	}
	defer func() {
		remove := area.Remove
		if errors.Is(context.Cause(ctx), webhook.ErrShutdown) { // there is no time: the next start does it
			remove = area.Close
		}
		if err := remove(); err != nil {
			b.log.Error("work area not removed", "build", one.ID, "reason", err)
		}
	}()
	c := git.Commit{Remote: rule.Remote, Ref: one.Ref, SHA: sha, Forced: one.Forced}
	if git.IsSameServer(b.api, rule.Remote) {
		c.Token = b.token
	}
	log.Printf("fetching %s", rule.Remote)
	commit, err := b.repositories.CheckOut(ctx, c, area, user, log)
	if err != nil && c.Token.IsZero() && !b.token.IsZero() {
		log.Printf("the token was not sent to %s, because it is not on the server of -api", rule.Remote)
	}
	if err == nil && commit != one.Commit {
		err = b.builds.SetCommit(ctx, one, commit)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errCheckout, err)
	}
	log.Printf("running the command with a time limit of %s", rule.Timeout)
	limited, cancel := context.WithTimeoutCause(ctx, rule.Timeout, errTimeLimit)
	defer cancel()
	return b.dir.Run(limited, jobs.Command{
		User:   user,
		Args:   []string{"/bin/sh", "-e", "-c", rule.Command},
		Dir:    area.Src,
		Env:    slices.Concat(b.environment(area, one), b.secretsOf(rule)),
		Output: log,
	})
}

// environment returns the environment of the command, without secrets.
func (b *builder) environment(area jobs.Area, one *builds.Build) []string {
	env := []string{
		"PATH=" + b.pathEnv,
		"HOME=" + area.Home,
		"TMPDIR=" + area.Tmp,
		"CI=true",
		"CI_BUILD_ID=" + one.ID,
		"CI_BUILD_URL=" + b.report.BuildURL(one.ID),
		"CI_REPOSITORY=" + one.Repository,
		"CI_REF=" + one.Ref,
		"CI_COMMIT=" + one.Commit,
	}
	if branch, ok := strings.CutPrefix(one.Ref, "refs/heads/"); ok {
		env = append(env, "CI_BRANCH="+branch)
	}
	if tag, ok := strings.CutPrefix(one.Ref, "refs/tags/"); ok {
		env = append(env, "CI_TAG="+tag)
	}
	return env
}
