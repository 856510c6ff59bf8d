package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
)

// A compose updates services of a Compose file. The image is given as a second
// file on standard input, pinned by its digest: your file stays as it is. Compose
// itself stops the old containers before it starts the new ones, so going back
// means to start the old image again; which one that is the ledger remembers.
type compose struct {
	*engine
	file   string
	ledger *ledger
	log    *slog.Logger
}

func newCompose(e *engine, file string, l *ledger, log *slog.Logger) (*compose, error) {
	absolute, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	return &compose{e, absolute, l, log}, nil
}

func (c *compose) replace(ctx context.Context, j job) (bool, error) {
	service := j.rule.target
	running, err := c.containers(ctx, service)
	if err != nil {
		return false, err
	}
	if len(running) == 0 {
		return false, fmt.Errorf("%w: %s has no container: run docker compose up first", errUnsuited, service)
	}
	same, previous := true, ""
	for _, one := range running {
		if j.olderThan(one.Config.Image) {
			return false, fmt.Errorf("%w: %s runs %s", errOlder, service, one.Config.Image)
		}
		img, err := c.image(ctx, one.Image)
		if err != nil {
			return false, err
		}
		same = same && one.runs(img, j.digest)
		previous = pinned(one, img)
	}
	if same {
		return false, nil
	}
	c.log.Info("deploying", "target", service, "image", j.pinned())
	if err := c.do(ctx, service, j.pinned(), "pull", "--quiet"); err != nil {
		return false, err
	}
	if err := c.ledger.remember(ctx, service, previous); err != nil {
		return false, err
	}
	if err := c.up(ctx, service, j.pinned()); err != nil {
		return false, fmt.Errorf("%w: %w", errRejected, err)
	}
	return true, c.well(ctx, service)
}

// recover starts the image from before again, unless what runs is well.
func (c *compose) recover(ctx context.Context, service string) error {
	last, err := c.ledger.read(ctx, service)
	if err != nil || last.previous == "" {
		return err
	}
	if c.well(ctx, service) != nil {
		c.log.Warn("going back", "target", service, "image", last.previous)
		if err := c.up(ctx, service, last.previous); err != nil {
			return err
		}
	}
	return c.ledger.remember(ctx, service, "")
}

// up starts the service with an image that is here already.
func (c *compose) up(ctx context.Context, service, image string) error {
	return c.do(ctx, service, image, "up", "--detach", "--no-deps", "--no-build", "--pull=never")
}

// well returns nil when all containers of the service are healthy.
func (c *compose) well(ctx context.Context, service string) error {
	all, err := c.containers(ctx, service)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return fmt.Errorf("%w: %s has no container", errRejected, service)
	}
	for _, one := range all {
		if err := c.wait(ctx, one.ID); err != nil {
			return err
		}
	}
	return nil
}

// containers returns those of the service, running or not.
func (c *compose) containers(ctx context.Context, service string) ([]container, error) {
	out, err := c.command.run(ctx, "", "compose", "--file="+c.file, "ps", "--all", "--quiet", service)
	if err != nil {
		return nil, err
	}
	var all []container
	for id := range strings.FieldsSeq(out) {
		one, err := c.container(ctx, id)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// pinned names the image that a container runs, so that it stays that image.
func pinned(c container, img image) string {
	name, _, _ := strings.Cut(c.Config.Image, "@")
	if len(img.RepoDigests) == 0 || strings.HasPrefix(name, "sha256:") {
		return c.Image
	}
	_, digest, _ := strings.Cut(img.RepoDigests[0], "@")
	return name + "@" + digest
}

// do runs a command of compose for one service and image.
func (c *compose) do(ctx context.Context, service, image string, verb ...string) error {
	override, err := json.Marshal(map[string]any{"services": map[string]any{service: map[string]string{"image": image}}}) // YAML, too
	if err != nil {
		return err
	}
	_, err = c.command.run(ctx, string(override), append(append([]string{"compose", "--file=" + c.file, "--file=-"}, verb...), service)...)
	return err
}
