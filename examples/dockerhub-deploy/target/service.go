package target

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Service is a service of a Compose project. Compose stops the old containers before it
// starts the new ones, so Recover starts the old image again; a Memory remembers which one
// it is.
type Service struct {
	*Project
	name   string
	memory Memory
}

// A Memory keeps what a Service returns to. The engine cannot say it while Compose has
// removed the old containers.
type Memory interface {
	// Previous returns what was set last, or the zero value.
	Previous(ctx context.Context, service string) (Previous, error)
	SetPrevious(ctx context.Context, service string, p Previous) error
}

// A Previous is the image of a service before a deployment.
type Previous struct {
	Image       string // its id, or noImage if the service had no container; empty if no deployment is in progress
	Digest, Tag string // as in the labels
}

const noImage = "none"

// NewService returns a service. It returns an error if the files do not have it.
func NewService(p *Project, name string, memory Memory) (*Service, error) {
	if !slices.Contains(p.services, name) {
		return nil, fmt.Errorf("the Compose files have no service %q, but %s", name, strings.Join(p.services, ", "))
	}
	return &Service{p, name, memory}, nil
}

// Identity returns the digest.
func (t *Service) Identity(digest string) (string, error) { return digest, nil }

// Replace starts the image by "docker compose up".
func (t *Service) Replace(ctx context.Context, image Image) (bool, error) {
	all, mine, err := t.list(ctx, t.name)
	if err != nil {
		return false, err
	}
	same, previous := len(mine) > 0, Previous{Image: noImage}
	for _, c := range mine {
		if image.Older(c.label(tagLabel)) {
			return false, fmt.Errorf("%w: %s runs %s", ErrNewerRunning, c.Name, c.label(tagLabel))
		}
		// Compose itself makes other services of the project anew.
		others := maps.Clone(all)
		maps.DeleteFunc(others, func(_ string, o inspected) bool { return sameProject(o, c) })
		if err := t.declared.check(others, c); err != nil {
			return false, err
		}
		same = same && c.label(digestLabel) == image.Digest && c.State.Running && !c.State.Restarting
		previous = Previous{c.Image, c.label(digestLabel), c.label(tagLabel)}
	}
	if same && image.Deployed == image.Identity {
		return false, nil
	}
	t.Log.Info("deploying", "service", t.name, "image", image.Name)
	if err := t.pull(ctx, image.Name, ""); err != nil {
		return false, err
	}
	if !same {
		if err := t.memory.SetPrevious(ctx, t.name, previous); err != nil {
			return false, err
		}
	}
	if err := t.up(ctx, t.name, Previous{image.Name, image.Digest, image.Tag}, len(mine)); err != nil {
		return false, fmt.Errorf("%w: %w", ErrStart, err)
	}
	if err := t.checkHealthy(ctx, restarts(mine...)); err != nil {
		return false, err
	}
	return true, t.finish(ctx)
}

// Recover starts the previous image again unless the containers are healthy.
func (t *Service) Recover(ctx context.Context, failed bool) error {
	previous, err := t.memory.Previous(ctx, t.name)
	if err != nil || previous.Image == "" {
		return err
	}
	_, mine, err := t.list(ctx, t.name)
	if err != nil {
		return err
	}
	if !failed && len(mine) > 0 {
		err := t.checkHealthy(ctx, nil)
		if err == nil {
			return t.finish(ctx)
		}
		if ctx.Err() != nil || t.Ping(ctx) != nil {
			return err // nothing is known about the image
		}
	}
	t.Log.Warn("rolling back", "service", t.name, "image", previous.Image)
	if previous.Image == noImage {
		err = t.do(ctx, t.args("rm", "--stop", "--force", t.name))
	} else {
		err = t.up(ctx, t.name, previous, len(mine))
	}
	if err != nil {
		return err
	}
	return t.finish(ctx)
}

// finish makes the containers anew whose container of this service is gone, and forgets
// the previous image.
func (t *Service) finish(ctx context.Context) error {
	all, mine, err := t.list(ctx, t.name)
	if err != nil {
		return err
	}
	for _, c := range all {
		other := c.label(serviceLabel)
		if len(mine) == 0 || !sameProject(c, mine[0]) || other == t.name || !c.refersToNothing(all) {
			continue
		}
		t.Log.Info("making anew what refers to a replaced container", "service", other, "replaced", t.name)
		if err := t.up(ctx, other, Previous{c.Image, c.label(digestLabel), c.label(tagLabel)}, 0, "--force-recreate"); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrUnfinished, other, err)
		}
	}
	for _, c := range mine {
		if err := t.declared.remake(ctx, t.Engine, c.Name); err != nil {
			return fmt.Errorf("%w: %w", ErrUnfinished, err)
		}
	}
	return t.memory.SetPrevious(ctx, t.name, Previous{})
}

// up starts a service with an image that is already there. It keeps the number of
// containers, unless the files set one: "docker compose up --scale" leaves no other trace.
func (t *Service) up(ctx context.Context, service string, image Previous, scale int, more ...string) error {
	labels := map[string]string{}
	if image.Digest != "" {
		labels = map[string]string{digestLabel: image.Digest, tagLabel: image.Tag}
	}
	override, err := json.Marshal(map[string]any{"services": map[string]any{service: map[string]any{"image": image.Image, "labels": labels}}}) // JSON is also YAML
	if err != nil {
		return err
	}
	args := append(t.args("--file=-", "up", "--detach", "--no-deps", "--no-build", "--pull=never"), more...)
	if scale > 1 {
		fixed, err := t.hasScale(ctx, service)
		if err != nil {
			return err
		}
		if !fixed {
			args = append(args, "--scale="+service+"="+strconv.Itoa(scale))
		}
	}
	_, _, err = t.Docker.Run(ctx, string(override), append(args, service)...)
	return err
}

// checkHealthy waits until all containers of the service are healthy, as waitHealthy does.
func (t *Service) checkHealthy(ctx context.Context, before map[string]int) error {
	_, mine, err := t.list(ctx, t.name)
	if err == nil && len(mine) == 0 {
		err = errors.Join(ErrStart, errors.New("the service has no container"))
	}
	if err != nil {
		return err
	}
	var ids []string
	for _, c := range mine {
		ids = append(ids, c.ID)
	}
	return t.waitHealthy(ctx, before, ids...)
}
