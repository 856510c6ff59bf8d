package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
)

// settleTimeout bounds the time to record a result, also during shutdown.
const settleTimeout = 5 * time.Second

// A builder builds pushes. The worker calls it for one push of a ref at a time.
type builder struct {
	rules      rules
	store      *store
	data       data
	logs       *logs
	report     reporter
	api        *url.URL        // the token is sent to remotes on this GitHub only
	token      webhook.Secret  // if zero, all repositories must be public
	pathEnv    string          // PATH for commands and git
	networkEnv []string        // additional environment of git when it calls the remote
	users      accounts        // the users that builds run as
	stopBuilds context.Context // done when running builds must stop
	log        *slog.Logger
	onBuilt    func(b build, took time.Duration)
}

// handlePush builds one push. It returns an error if the build is to run again. A
// failed build is a result, not an error.
func (b *builder) handlePush(ctx context.Context, e *webhook.Event[github.Push]) error {
	p := e.Payload
	rule := b.rules.lookup(p.Repository.FullName)
	if rule == nil {
		b.log.Info("push not built: repository is not configured", "push", e.Delivery)
		return fmt.Errorf("%w: %.100q is not configured", webhook.ErrIgnored, p.Repository.FullName)
	}
	if err := checkRef(p.Ref); err != nil {
		return webhook.Permanent(err)
	}
	if !rule.matches(p) {
		b.log.Info("push not built: ref is not configured", "push", e.Delivery)
		return fmt.Errorf("%w: %.200s of %s is not configured", webhook.ErrIgnored, p.Ref, rule.Name)
	}
	area := b.data.area(rule.Name, p.Ref)
	one := build{
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
		if err := b.store.endForDeletedRef(ctx, one, b.report); err != nil {
			return err
		}
		return area.remove()
	}
	var err error
	if one.Commit, err = commitOf(p); err != nil {
		return webhook.Permanent(err)
	}
	return b.build(ctx, rule, area, &one)
}

// build runs one build and records its result.
func (b *builder) build(ctx context.Context, rule *rule, area workArea, one *build) error {
	claim, ok := webhook.ClaimFromContext(ctx)
	if !ok {
		return errors.New("the context has no claim: the builder must be called by a Worker")
	}
	log, err := b.logs.open(one.ID)
	if err != nil {
		return err
	}
	defer log.close()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	defer context.AfterFunc(b.stopBuilds, func() { end(webhook.ErrShutdown) })()
	if err := b.store.begin(ctx, one, b.report); err != nil {
		return err
	}
	log.printf("run %d of %s %s at %s", one.Run, one.Repository, one.Ref, one.Commit)
	if one.Forced {
		log.printf("forced push")
	}

	user := <-b.users
	defer func() { b.users <- user }()
	err = b.execute(ctx, user, rule, area, one, log)
	took := time.Since(one.Started).Round(time.Millisecond)
	// Clean up before the result is recorded: after that the next build may use the
	// area. During shutdown there is no time for it; the next start does it.
	if ctx.Err() == nil {
		if cleanErr := area.clean(); cleanErr != nil {
			b.log.Error("checkout not removed", "build", one.ID, "reason", cleanErr)
		}
	} else {
		_ = area.revokeAccess()
	}

	// ctx may be done by now. The result is recorded in any case.
	saveCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	retry := func(why string, reason error) error {
		next := "it will run again"
		if claim.Last {
			next = "this was the last attempt"
		}
		log.printf("%s: %s", why, next)
		return errors.Join(reason, b.store.setWaiting(saveCtx, one, why))
	}
	status, failed := exitStatus(err)
	switch {
	case err == nil:
		one.State, one.Detail = success, fmt.Sprintf("passed in %s", took)
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), webhook.ErrShutdown):
		log.printf("github-ci was stopped during this run: it will run again")
		return b.store.setWaitingUncounted(saveCtx, claim, one, "github-ci was stopped during this run")
	case ctx.Err() != nil:
		return retry("this run was canceled", context.Cause(ctx))
	case errors.Is(err, errTimeLimit):
		one.State, one.Detail = failure, fmt.Sprintf("exceeded the time limit of %s and was killed", rule.Timeout)
	case errors.Is(err, errCommitUnavailable):
		one.State, one.Detail = errored, err.Error()
	case errors.Is(err, errCheckout):
		return retry(err.Error(), err)
	case failed:
		one.State, one.Detail = failure, fmt.Sprintf("%s after %s", status, took)
	default:
		return retry(err.Error(), err)
	}
	log.printf("%s: %s", one.State, one.Detail)
	if err := b.store.end(saveCtx, one, b.report); err != nil {
		return err
	}
	b.onBuilt(*one, took)
	b.log.Info("build finished", "repository", one.Repository, "ref", one.Ref, "commit", one.Commit, "state", one.State, "detail", one.Detail, "build", one.ID)
	return nil
}

var (
	errCheckout  = errors.New("checkout")
	errTimeLimit = errors.New("time limit exceeded")
)

// execute checks the commit out and runs the command. Its error wraps
// errTimeLimit, errCommitUnavailable or errCheckout, or is the exit error of the
// command.
func (b *builder) execute(ctx context.Context, user account, rule *rule, area workArea, one *build, log *buildLog) error {
	if err := area.prepare(); err != nil {
		return fmt.Errorf("%w: %w", errCheckout, err)
	}
	c := checkout{area: area, user: user, remote: rule.Remote, ref: one.Ref, sha: one.Commit, pathEnv: b.pathEnv, networkEnv: b.networkEnv, log: log}
	if isSameServer(b.api, rule.Remote) {
		c.token = b.token
	}
	log.printf("fetching %s", rule.Remote)
	if err := c.run(ctx); err != nil {
		return fmt.Errorf("%w: %w", errCheckout, err)
	}
	log.printf("running with a time limit of %s:\n%s", rule.Timeout, strings.TrimSpace(rule.Command))
	ctx, cancel := context.WithTimeoutCause(ctx, rule.Timeout, errTimeLimit)
	defer cancel()
	return command{
		user:   user,
		args:   []string{"/bin/sh", "-e", "-c", rule.Command},
		dir:    area.src,
		env:    b.environment(area, one),
		output: log,
		lock:   area.lock,
	}.run(ctx)
}

// environment returns the complete environment of the command.
func (b *builder) environment(area workArea, one *build) []string {
	env := []string{
		"PATH=" + b.pathEnv,
		"HOME=" + area.home,
		"CI=true",
		"CI_BUILD_ID=" + one.ID,
		"CI_BUILD_URL=" + b.report.buildURL(one.ID),
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
