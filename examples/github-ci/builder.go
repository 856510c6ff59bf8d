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

// newestOnly lets the newest of what waits on a branch take the place of the
// others. What runs is left alone.
var newestOnly = webhook.Coalesce{Quiet: time.Millisecond}

// settleTime is what recording a result may take, also when the program ends.
const settleTime = 5 * time.Second

// A builder builds pushes. The inbox calls it for one push of a ref at a time.
type builder struct {
	rules  rules
	store  *store
	data   data
	logs   *logs
	report reporter
	api    *url.URL        // the remotes on this GitHub are shown the token
	token  webhook.Secret  // Zero means that all are public.
	path   string          // PATH of commands and of git
	git    []string        // more variables of git where it calls the remote
	users  accounts        // whom builds run as
	over   context.Context // ends when builds are to stop
	log    *slog.Logger
	count  func(b build, took time.Duration)
}

// push builds what was pushed. It returns an error where the build is to run
// again; a build that failed is a result.
func (b *builder) push(ctx context.Context, e *webhook.Event[github.Push]) error {
	p := e.Payload
	rule := b.rules.of(p.Repository.FullName)
	if rule == nil {
		b.log.Info("push is not built: its repository is not configured", "push", e.Delivery)
		return fmt.Errorf("%w: %.100q is not configured", webhook.ErrIgnored, p.Repository.FullName)
	}
	if err := checkRef(p.Ref); err != nil {
		return webhook.Permanent(err)
	}
	if !rule.wants(p) {
		b.log.Info("push is not built: its ref is not configured", "push", e.Delivery)
		return fmt.Errorf("%w: %s is not configured for %.200s", webhook.ErrIgnored, rule.Name, p.Ref)
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
		b.log.Info("ref was deleted", "repository", rule.Name, "ref", p.Ref)
		if err := b.store.drop(ctx, one, b.report); err != nil {
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

// build runs one build and records what came of it.
func (b *builder) build(ctx context.Context, rule *rule, area workArea, one *build) error {
	claim, ok := webhook.ClaimFromContext(ctx)
	if !ok {
		return errors.New("not under a claim: run behind an inbox")
	}
	log, err := b.logs.open(one.ID)
	if err != nil {
		return err
	}
	defer log.close()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	defer context.AfterFunc(b.over, func() { end(webhook.ErrShutdown) })()
	if err := b.store.begin(ctx, one, b.report); err != nil {
		return err
	}
	log.say("run %d of %s %s at %s", one.Run, one.Repository, one.Ref, one.Commit)
	if one.Forced {
		log.say("this push was forced")
	}

	who := <-b.users
	defer func() { b.users <- who }()
	err = b.execute(ctx, who, rule, area, one, log)
	took := time.Since(one.Started).Round(time.Millisecond)
	// Before the result is recorded: then the next build may have the area. When
	// the program ends there is no time for it, and the next start does it.
	if ctx.Err() == nil {
		if cleanErr := area.clean(); cleanErr != nil {
			b.log.Error("checkout could not be removed", "build", one.ID, "reason", cleanErr)
		}
	} else {
		_ = area.shut()
	}

	// From here on ctx may have ended; what happened is recorded all the same.
	saving, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	again := func(why string, reason error) error {
		next := "it will run again"
		if claim.Last {
			next = "this was the last try"
		}
		log.say("%s: %s", why, next)
		return errors.Join(reason, b.store.pause(saving, one, why))
	}
	status, failed := exitStatus(err)
	switch {
	case err == nil:
		one.State, one.Detail = success, fmt.Sprintf("passed in %s", took)
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), webhook.ErrShutdown):
		log.say("github-ci was stopped during this run: it will run again")
		return b.store.giveBack(saving, claim, one, "github-ci was stopped during this run")
	case ctx.Err() != nil:
		return again("this run was taken away", context.Cause(ctx))
	case errors.Is(err, errTimeLimit):
		one.State, one.Detail = failure, fmt.Sprintf("over the time limit of %s, and killed", rule.Timeout)
	case errors.Is(err, errGone):
		one.State, one.Detail = broken, err.Error()
	case errors.Is(err, errCheckout):
		return again(err.Error(), err)
	case failed:
		one.State, one.Detail = failure, fmt.Sprintf("%s after %s", status, took)
	default:
		return again(err.Error(), err)
	}
	log.say("%s: %s", one.State, one.Detail)
	if err := b.store.end(saving, one, b.report); err != nil {
		return err
	}
	b.count(*one, took)
	b.log.Info("built", "repository", one.Repository, "ref", one.Ref, "commit", one.Commit, "state", one.State, "detail", one.Detail, "build", one.ID)
	return nil
}

var (
	errCheckout  = errors.New("checkout")
	errTimeLimit = errors.New("over the time limit")
)

// execute checks the commit out and runs the command. An error wraps
// errTimeLimit, errGone or errCheckout, or says how the command ended.
func (b *builder) execute(ctx context.Context, who account, rule *rule, area workArea, one *build, log *buildLog) error {
	if err := area.fresh(); err != nil {
		return fmt.Errorf("%w: %w", errCheckout, err)
	}
	c := checkout{area: area, who: who, remote: rule.Remote, ref: one.Ref, sha: one.Commit, path: b.path, network: b.git, log: log}
	if sameServer(b.api, rule.Remote) {
		c.token = b.token
	}
	log.say("fetching %s", rule.Remote)
	if err := c.run(ctx); err != nil {
		return fmt.Errorf("%w: %w", errCheckout, err)
	}
	log.say("running, for at most %s:\n%s", rule.Timeout, strings.TrimSpace(rule.Command))
	ctx, cancel := context.WithTimeoutCause(ctx, rule.Timeout, errTimeLimit)
	defer cancel()
	return command{
		who:    who,
		args:   []string{"/bin/sh", "-e", "-c", rule.Command},
		dir:    area.src,
		env:    b.environment(area, one),
		output: log,
		lock:   area.lock,
	}.run(ctx)
}

// environment is all that the command is told.
func (b *builder) environment(area workArea, one *build) []string {
	env := []string{
		"PATH=" + b.path,
		"HOME=" + area.home,
		"CI=true",
		"CI_BUILD_ID=" + one.ID,
		"CI_BUILD_URL=" + b.report.page(one.ID),
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
