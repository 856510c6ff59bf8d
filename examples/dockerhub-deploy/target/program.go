package target

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
)

// A Program deploys by running a program of the user, with the details in its environment.
// Exit status 0 means deployed, whatever processes the program leaves running. After any
// other status it is retried, so running it twice must be safe. What it deployed last is
// known from [Image.Deployed] alone.
//
// It runs once at a time, even if this process is killed and started again: see Supervise.
type Program struct {
	Command Command
	Args    []string
	Lock    string // name of a file
	Log     *slog.Logger
}

// Identity returns the digest.
func (*Program) Identity(digest string) (string, error) { return digest, nil }

// Recover does nothing: the program itself must recover.
func (*Program) Recover(context.Context, bool) error { return nil }

// Replace runs the program and logs its output.
func (t *Program) Replace(ctx context.Context, image Image) (bool, error) {
	if image.Deployed == image.Identity {
		return false, nil
	}
	ctx, cancel := t.Command.withTimeout(ctx)
	defer cancel()
	lock, err := lockFile(ctx, t.Lock)
	if err != nil {
		return false, fmt.Errorf("an earlier run has not ended: %s: %w", t.Lock, err)
	}
	defer func() { _ = lock.Close() }()
	self, err := os.Executable()
	if err != nil {
		return false, err
	}
	output := &outputLog{log: t.Log}
	cmd := exec.CommandContext(ctx, self, append([]string{SuperviseArg, t.Command.Path}, t.Args...)...)
	cmd.Env = append(t.Command.Env[:len(t.Command.Env):len(t.Command.Env)], image.Env...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.ExtraFiles = []*os.File{lock}
	err = runGroup(ctx, cmd)
	output.flush()
	if err != nil {
		return false, fmt.Errorf("%s: %w: %s", filepath.Base(t.Command.Path), err, output.last.oneLine())
	}
	return true, nil
}

const (
	maxLine       = 4 << 10 // bytes of a line in the log
	maxLoggedText = 1 << 20 // bytes of one run in the log
)

// An outputLog is an io.Writer that logs the lines of a program as they are written. It
// logs at most maxLoggedText, and keeps the end for an error.
type outputLog struct {
	log    *slog.Logger
	line   []byte
	logged int
	last   tail
}

func (o *outputLog) Write(p []byte) (int, error) {
	_, _ = o.last.Write(p)
	for rest := p; len(rest) > 0; {
		part, after, ended := bytes.Cut(rest, []byte("\n"))
		o.line = append(o.line, part[:min(len(part), maxLine-len(o.line))]...)
		if rest = after; ended {
			o.flush()
		}
	}
	return len(p), nil
}

func (o *outputLog) flush() {
	if len(o.line) > 0 && o.logged <= maxLoggedText {
		if o.logged += len(o.line) + 64; o.logged > maxLoggedText {
			o.log.Warn("the rest of the output is not logged", "limit", maxLoggedText)
		} else {
			o.log.Info("output", "line", string(o.line))
		}
	}
	o.line = o.line[:0]
}
