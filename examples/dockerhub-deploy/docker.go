package main

import (
	"context"
	"fmt"
	"log/slog"
)

// A dockerStrategy replaces a container by a new one with the same configuration
// and the new image. To replace web, it uses two more names:
//
//	web.hookhouse-next      the new container, until it is healthy
//	web.hookhouse-previous  the old container, from then until it is removed
//
// The existing names show how far a deployment got, so recover can clean up after
// one that was killed at any point.
type dockerStrategy struct {
	*engine
	log *slog.Logger
}

const (
	nextSuffix     = ".hookhouse-next"
	previousSuffix = ".hookhouse-previous"
	// replacesLabel is set to the target's name on each container created here.
	replacesLabel = "hookhouse.replaces"
	// wasRunningLabel records whether the old container ran and must be started again
	// by a rollback.
	wasRunningLabel = "hookhouse.was-running"
)

// replace does not touch the old container before the new one is created, and
// stops it only when the new one is healthy. If both cannot run at the same time,
// for example because of a published port, it stops the old one before it starts
// the new one.
func (d *dockerStrategy) replace(ctx context.Context, j job) (bool, error) {
	name, next := j.rule.target, j.rule.target+nextSuffix
	old, err := d.container(ctx, name)
	if err != nil {
		return false, err
	}
	oldImage, err := d.image(ctx, old.Image)
	if err != nil || old.runs(oldImage, j.digest) {
		return false, err
	}
	if j.olderThan(old.Config.Image) {
		return false, fmt.Errorf("%w: %s runs %s", errNewerRunning, name, old.Config.Image)
	}
	c, err := newCreateCommand(old, oldImage.Config, name)
	if err != nil {
		return false, err
	}

	d.log.Info("deploying", "target", name, "image", j.pinnedImage())
	if _, err := d.run(ctx, "", "pull", "--quiet", j.pinnedImage()); err != nil {
		return false, err
	}
	if _, err := d.run(ctx, c.env, c.args(next, j.pinnedImage())...); err != nil {
		return false, err
	}
	for _, connect := range c.networkConnects {
		if _, err := d.run(ctx, "", append(connect, next)...); err != nil {
			return false, err
		}
	}
	if c.stopOldFirst && old.State.Running {
		if err := d.do(ctx, "stop", name); err != nil {
			return false, err
		}
	}
	if err := d.do(ctx, "start", next); err != nil {
		return false, d.classifyStartError(ctx, err)
	}
	if err := d.waitHealthy(ctx, next); err != nil {
		return false, err
	}
	if !c.stopOldFirst && old.State.Running {
		if err := d.do(ctx, "stop", name); err != nil {
			return false, err
		}
	}
	if err := d.do(ctx, "rename", name, name+previousSuffix); err != nil {
		return false, err
	}
	// The deployment has succeeded; recover completes it.
	return true, d.recover(ctx, name, false)
}

// recover completes the deployment if the new container was found healthy, which
// is the case if the old one is renamed. Otherwise it rolls back, whether or not
// the image is rejected.
func (d *dockerStrategy) recover(ctx context.Context, name string, _ bool) error {
	next, previous := name+nextSuffix, name+previousSuffix
	have, err := d.names(ctx)
	if err != nil || !have[next] && !have[previous] {
		return err
	}
	if have[previous] && !have[name] {
		replacement := next
		if !have[next] {
			replacement = previous // the new container was removed by hand
		}
		if err := d.do(ctx, "rename", replacement, name); err != nil {
			return err
		}
		have[name], have[replacement] = true, false
		if err := d.do(ctx, "start", name); err != nil {
			return err
		}
	}
	if have[previous] {
		if err := d.do(ctx, "rm", "--force", previous); err != nil {
			return err
		}
	}
	if !have[next] {
		return nil
	}
	c, err := d.container(ctx, next)
	if err != nil {
		return err
	}
	if c.Config.Labels[replacesLabel] != name {
		return fmt.Errorf("%w: container %s was not created by this program: rename it", errNotReplaceable, next)
	}
	if err := d.do(ctx, "rm", "--force", next); err != nil {
		return err
	}
	if have[name] && c.Config.Labels[wasRunningLabel] == "true" {
		return d.do(ctx, "start", name) // no effect if it runs
	}
	return nil
}

// do runs one docker command and discards its output.
func (d *dockerStrategy) do(ctx context.Context, args ...string) error {
	_, err := d.run(ctx, "", args...)
	return err
}
