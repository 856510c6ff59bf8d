package compare

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/pace"
)

// A pacer is the program of package pace, built with the library of one commit.
type pacer struct {
	program string
	version string
}

// The module of the bench and package pace in the repository.
const benchFolder, paceFolder = "internal/bench", "internal/bench/pace"

// buildPacer builds the program with the library of that commit, or of the files
// as they are if commit is empty. The tree of a commit gets this package pace, so
// that both programs do the same. The folder must exist.
func buildPacer(ctx context.Context, folder, name, commit string) (p pacer, err error) {
	top, err := command(ctx, ".", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return p, err
	}
	p.program = filepath.Join(folder, name)
	tree := top
	if commit != "" {
		tree = filepath.Join(folder, name+"-tree")
		if _, err := command(ctx, top, "git", "worktree", "add", "--quiet", "--detach", tree, commit); err != nil {
			return p, err
		}
		defer func() {
			_, removed := command(context.WithoutCancel(ctx), top, "git", "worktree", "remove", "--force", tree)
			err = errors.Join(err, removed)
		}()
	}
	if p.version, err = command(ctx, tree, "git", "log", "-1", "--format=%h %s"); err != nil {
		return p, err
	}
	if commit == "" {
		p.version = "the files as they are, on " + p.version
	} else if err := replaceFolder(filepath.Join(tree, paceFolder), filepath.Join(top, paceFolder)); err != nil {
		return p, err
	}
	_, err = command(ctx, filepath.Join(tree, benchFolder), "go", "build", "-o", p.program, "./pace/pacer")
	return p, err
}

// replaceFolder makes the folder to a copy of from.
func replaceFolder(to, from string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return os.CopyFS(to, os.DirFS(from))
}

// command runs a program to its end and returns its output without the last line
// break.
func command(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

// start starts the program and returns when its store is ready.
func (p pacer) start(ctx context.Context, metric string, b env.Backend, dsn string, share float64) (*env.Child, error) {
	cmd := exec.CommandContext(ctx, p.program, metric, string(b), dsn, fmt.Sprint(share))
	cmd.Stderr = os.Stderr
	var ready pace.Slice
	c, err := env.Start(cmd, &ready)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.version, err)
	}
	return c, nil
}
