package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"time"
)

// outputTimeout is how long run waits for the output of an ended command if a
// process that could not be killed keeps it open.
const outputTimeout = 5 * time.Second

// lockFD is the file descriptor of command.lock in a supervisor.
const lockFD = 3

// A command runs one process, and everything that it starts, under a supervisor.
type command struct {
	user   account // zero means github-ci's own user
	args   []string
	dir    string
	env    []string  // the complete environment; nothing is inherited
	output io.Writer // standard error, and standard output if stdout is nil
	stdout io.Writer // if not nil, receives standard output, and run fails if it is incomplete
	lock   *os.File  // stays locked until all processes of the command have ended, even if github-ci is killed
}

// run runs the command and returns when it and all processes that it started have
// ended. If ctx is done first, run kills them and returns the cause of ctx.
func (c command) run(ctx context.Context) error {
	self, err := executablePath()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, append([]string{superviseArg, c.user.String()}, c.args...)...)
	cmd.Args[0] = "github-ci"
	cmd.Dir, cmd.Env = c.dir, c.env
	cmd.Stdout, cmd.Stderr = c.output, c.output
	if c.stdout != nil {
		cmd.Stdout = c.stdout
	}
	cmd.ExtraFiles = []*os.File{c.lock}
	cmd.SysProcAttr = account{}.sysProcAttr()
	cmd.WaitDelay = outputTimeout
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = stdin.Close() })
	defer stop()
	err = cmd.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if c.stdout == nil && errors.Is(err, exec.ErrWaitDelay) {
		return nil // only the end of a log may be missing
	}
	return err
}

// exitStatus returns the exit status of a failed command. It returns false if the
// command could not be run or its supervisor was killed.
func exitStatus(err error) (string, bool) {
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return exit.String(), true // "exit status 2"
	}
	return "", false
}
