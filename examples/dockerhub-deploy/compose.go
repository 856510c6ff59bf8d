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

// A composeStrategy updates services of Compose files. It passes the image, pinned
// by its digest, in an additional file on standard input, and does not change the
// files. Compose stops the old containers before it starts the new ones, so a
// rollback starts the old image again; the stateStore remembers which one it is.
type composeStrategy struct {
	*engine
	files  []string // --file=..., in the order of the flags
	states *stateStore
	log    *slog.Logger
}

// newComposeStrategy returns an error for what would fail at the first push: a
// docker without compose, or files that compose cannot read. It logs the warnings
// of compose, for example about a variable that is not set and becomes blank.
func newComposeStrategy(ctx context.Context, e *engine, files []string, states *stateStore, log *slog.Logger) (*composeStrategy, error) {
	c := &composeStrategy{engine: e, states: states, log: log}
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
		return nil, fmt.Errorf("docker compose, a plugin of the docker program, is required: %w", err)
	}
	_, warning, err := c.runCaptured(ctx, "", c.args("config", "--quiet")...)
	if err == nil && warning != "" {
		log.Warn("docker compose reports a warning", "warning", warning)
	}
	return c, err
}

// args returns the arguments of a compose command.
func (c *composeStrategy) args(more ...string) []string {
	return append(append([]string{"compose"}, c.files...), more...)
}

func (c *composeStrategy) replace(ctx context.Context, j job) (bool, error) {
	service := j.rule.target
	running, err := c.containers(ctx, service)
	if err != nil {
		return false, err
	}
	if len(running) == 0 {
		return false, fmt.Errorf("%w: %s has no container: run docker compose up first", errNotReplaceable, service)
	}
	same, previous := true, ""
	for _, one := range running {
		if j.olderThan(one.Config.Image) {
			return false, fmt.Errorf("%w: %s runs %s", errNewerRunning, service, one.Config.Image)
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
	c.log.Info("deploying", "target", service, "image", j.pinnedImage())
	if err := c.runService(ctx, service, j.pinnedImage(), "pull", "--quiet"); err != nil {
		return false, err
	}
	if err := c.states.setPrevious(ctx, service, previous); err != nil {
		return false, err
	}
	if err := c.up(ctx, service, j.pinnedImage()); err != nil {
		return false, c.classifyStartError(ctx, err)
	}
	return true, c.checkHealthy(ctx, service)
}

// recover starts the previous image again unless the running containers are
// healthy. It does not wait for a rejected image.
func (c *composeStrategy) recover(ctx context.Context, service string, rejected bool) error {
	state, err := c.states.read(ctx, service)
	if err != nil || state.previous == "" {
		return err
	}
	if !rejected {
		err := c.checkHealthy(ctx, service)
		rejected = errors.Is(err, errRejected)
		if err != nil && !rejected {
			return err // the health is unknown
		}
	}
	if rejected {
		c.log.Warn("rolling back", "target", service, "image", state.previous)
		if err := c.up(ctx, service, state.previous); err != nil {
			return err
		}
	}
	return c.states.setPrevious(ctx, service, "")
}

// up starts the service with an image that is already pulled.
func (c *composeStrategy) up(ctx context.Context, service, image string) error {
	return c.runService(ctx, service, image, "up", "--detach", "--no-deps", "--no-build", "--pull=never")
}

// checkHealthy waits until all containers of the service are healthy.
func (c *composeStrategy) checkHealthy(ctx context.Context, service string) error {
	containers, err := c.containers(ctx, service)
	if err != nil {
		return err
	}
	if len(containers) == 0 {
		return fmt.Errorf("%w: %s has no container", errRejected, service)
	}
	ids := make([]string, len(containers))
	for i, one := range containers {
		ids[i] = one.ID
	}
	return c.waitHealthy(ctx, ids...)
}

// oneOffLabel is True for containers of "docker compose run", which "up" does not
// touch: docker/compose, pkg/api/labels.go.
const oneOffLabel = "com.docker.compose.oneoff"

// containers returns the containers of the service, running or not. It leaves out
// those of "docker compose run", which "ps" also lists.
func (c *composeStrategy) containers(ctx context.Context, service string) ([]container, error) {
	out, err := c.run(ctx, "", c.args("ps", "--all", "--quiet", service)...)
	if err != nil {
		return nil, err
	}
	var list []container
	for id := range strings.FieldsSeq(out) {
		one, err := c.container(ctx, id)
		if err != nil {
			return nil, err
		}
		if one.Config.Labels[oneOffLabel] != "True" {
			list = append(list, one)
		}
	}
	return list, nil
}

// pinned returns a name for the image of a container that always refers to this
// image.
func pinned(c container, img image) string {
	name, _, _ := strings.Cut(c.Config.Image, "@")
	if len(img.RepoDigests) == 0 || strings.HasPrefix(name, "sha256:") {
		return c.Image
	}
	_, digest, _ := strings.Cut(img.RepoDigests[0], "@")
	return name + "@" + digest
}

// runService runs a compose command for one service and image.
func (c *composeStrategy) runService(ctx context.Context, service, image string, verb ...string) error {
	override, err := json.Marshal(map[string]any{"services": map[string]any{service: map[string]string{"image": image}}}) // JSON is also YAML
	if err != nil {
		return err
	}
	_, err = c.run(ctx, string(override), append(append(c.args("--file=-"), verb...), service)...)
	return err
}
