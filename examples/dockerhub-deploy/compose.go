package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// A compose updates services of Compose files. The image is given as one more
// file on standard input, pinned by its digest: yours stay as they are. Compose
// itself stops the old containers before it starts the new ones, so going back
// means to start the old image again; which one that is the ledger remembers.
type compose struct {
	*engine
	files  []string // --file=..., in the order of the flags
	ledger *ledger
	log    *slog.Logger
}

// newCompose finds out what would fail at the first push: a docker without
// compose, files that it cannot read. What it warns of, such as a variable that
// is not set and becomes blank, is logged.
func newCompose(ctx context.Context, e *engine, files []string, l *ledger, log *slog.Logger) (*compose, error) {
	c := &compose{engine: e, ledger: l, log: log}
	for _, file := range files {
		absolute, err := filepath.Abs(file)
		if err != nil {
			return nil, err
		}
		if _, err := os.ReadFile(absolute); err != nil {
			return nil, err
		}
		c.files = append(c.files, "--file="+absolute)
	}
	if _, err := c.run(ctx, "", "compose", "version"); err != nil {
		return nil, fmt.Errorf("docker compose is needed, a plugin of the docker program: %w", err)
	}
	_, warning, err := c.both(ctx, "", c.args("config", "--quiet")...)
	if err == nil && warning != "" {
		log.Warn("docker compose warns of the files", "says", warning)
	}
	return c, err
}

// args are those of a command of compose.
func (c *compose) args(more ...string) []string {
	return append(append([]string{"compose"}, c.files...), more...)
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
		return false, c.blame(ctx, err)
	}
	return true, c.well(ctx, service)
}

// recover starts the image from before again, unless what runs is well. One that
// is rejected already is not waited for.
func (c *compose) recover(ctx context.Context, service string, rejected bool) error {
	last, err := c.ledger.read(ctx, service)
	if err != nil || last.previous == "" {
		return err
	}
	if !rejected {
		err := c.well(ctx, service)
		rejected = errors.Is(err, errRejected)
		if err != nil && !rejected {
			return err // nothing is known of it
		}
	}
	if rejected {
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
	ids := make([]string, len(all))
	for i, one := range all {
		ids[i] = one.ID
	}
	return c.wait(ctx, ids...)
}

// oneOffLabel is True for what "docker compose run" has made, which "up" leaves
// alone: docker/compose, pkg/api/labels.go.
const oneOffLabel = "com.docker.compose.oneoff"

// containers returns those of the service, running or not, without those of
// "docker compose run", which "ps" tells of too.
func (c *compose) containers(ctx context.Context, service string) ([]container, error) {
	out, err := c.run(ctx, "", c.args("ps", "--all", "--quiet", service)...)
	if err != nil {
		return nil, err
	}
	var all []container
	for id := range strings.FieldsSeq(out) {
		one, err := c.container(ctx, id)
		if err != nil {
			return nil, err
		}
		if one.Config.Labels[oneOffLabel] != "True" {
			all = append(all, one)
		}
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
	_, err = c.run(ctx, string(override), append(append(c.args("--file=-"), verb...), service)...)
	return err
}
