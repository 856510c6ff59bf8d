package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"time"
)

// drainTime is how long the output of an ended command is waited for where
// something that could not be killed keeps it open.
const drainTime = 5 * time.Second

// lockFile is the number by which a supervisor has command.lock.
const lockFile = 3

// A command is one process and all that it starts, under a supervisor.
type command struct {
	who    account // Zero means our own.
	args   []string
	dir    string
	env    []string // all of it: nothing is inherited
	output io.Writer
	stdout io.Writer // what is to be read, and so must be whole. Zero means output, where errors go as well.
	lock   *os.File  // stays locked until nothing of the command is left, even when we are killed
}

// run returns when the command has ended and nothing that it started is left.
// When ctx ends, all of it is killed and its cause returned.
func (c command) run(ctx context.Context) error {
	self, err := ownProgram()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, append([]string{supervise, c.who.String()}, c.args...)...)
	cmd.Args[0] = "github-ci"
	cmd.Dir, cmd.Env = c.dir, c.env
	cmd.Stdout, cmd.Stderr = c.output, c.output
	if c.stdout != nil {
		cmd.Stdout = c.stdout
	}
	cmd.ExtraFiles = []*os.File{c.lock}
	cmd.SysProcAttr = account{}.start()
	cmd.WaitDelay = drainTime
	life, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = life.Close() })
	defer stop()
	err = cmd.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if c.stdout == nil && errors.Is(err, exec.ErrWaitDelay) {
		return nil // the end of a log may be missing
	}
	return err
}

// exitStatus says how a command failed by itself; false where it could not be
// run, or its supervisor was killed.
func exitStatus(err error) (string, bool) {
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return exit.String(), true // "exit status 2"
	}
	return "", false
}
