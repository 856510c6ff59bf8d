package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
)

// A pacer is the program of package pace, built with the library of one commit.
type pacer struct {
	program string
	version string
}

// paceFolder is where package pace stands in the repository.
const benchFolder, paceFolder = "internal/bench", "internal/bench/pace"

// buildPacer builds the program with the library of that commit; of the files as
// they are where the commit is empty. An older commit gets package pace as it is
// here, so that both do the same. The folder must be there.
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

// replaceFolder makes to what from is.
func replaceFolder(to, from string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return os.CopyFS(to, os.DirFS(from))
}

// command runs a program to its end and returns what it printed, less the line's
// end.
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

// A pacing is a pacer's process at work on one metric.
type pacing struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

// start returns when the store is ready.
func (p pacer) start(ctx context.Context, metric string, in place, dsn string, share float64) (*pacing, error) {
	cmd := exec.CommandContext(ctx, p.program, metric, string(in), dsn, fmt.Sprint(share))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	running := &pacing{cmd: cmd, in: stdin, out: json.NewDecoder(stdout)}
	var ready pace.Slice
	if err := running.out.Decode(&ready); err != nil {
		return nil, fmt.Errorf("%s: %w", p.version, errors.Join(err, running.end()))
	}
	return running, nil
}

// slice has the process do a slice; Done is zero once it has done all.
func (r *pacing) slice() (s pace.Slice, err error) {
	if _, err := io.WriteString(r.in, "\n"); err != nil {
		return s, errors.Join(err, r.end())
	}
	if err := r.out.Decode(&s); err != nil {
		return s, errors.Join(err, r.end())
	}
	return s, nil
}

// kill ends the process in any case.
func (r *pacing) kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait() // has no news after end
}

// end lets the process check its store and end.
func (r *pacing) end() error {
	_ = r.in.Close() // it ends with its input
	return r.cmd.Wait()
}
