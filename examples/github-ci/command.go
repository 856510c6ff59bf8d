package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// What is left of an ended command's output is waited for that long, in case
// something that could not be killed keeps it open.
const (
	drainTime       = 5 * time.Second
	drainKilledTime = 500 * time.Millisecond
)

// buildMark is the variable by which all processes of a build are found, those
// included that left its process group.
const buildMark = "CI_BUILD_ID"

// A command is one process and all that it starts.
type command struct {
	build  string // the id of the build that it belongs to
	args   []string
	dir    string
	env    []string // all of it: nothing is inherited
	output io.Writer
	stdout io.Writer // Zero means output, where errors go as well.
}

// run returns when the command has ended and nothing that it started is left.
// When ctx ends, the whole process group is killed and its cause returned.
func (c command) run(ctx context.Context) error {
	// The signal that a child gets when its parent dies is tied to the thread
	// that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Dir = c.dir
	cmd.Env = append([]string{buildMark + "=" + c.build}, c.env...)
	cmd.SysProcAttr = ownGroup()
	cmd.Cancel = func() error { return killGroup(cmd.Process.Pid) }

	// Pipes of our own: those of os/exec would make Wait wait for whatever the
	// command left running in the background.
	output, finish, err := pipeTo(c.output)
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = output, output
	finishStdout := func(time.Duration) {}
	if c.stdout != nil {
		if cmd.Stdout, finishStdout, err = pipeTo(c.stdout); err != nil {
			finish(0)
			return err
		}
	}
	err = cmd.Start()
	if err == nil {
		err = cmd.Wait()
		_ = killGroup(cmd.Process.Pid)
		killMarked(c.build)
	}
	drain := drainTime
	if ctx.Err() != nil {
		drain = drainKilledTime
	}
	finishStdout(drain)
	finish(drain)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// pipeTo returns the writing end of a pipe whose content goes to w. Finish
// closes it and waits, for at most the given time, until all has arrived.
func pipeTo(w io.Writer) (writer *os.File, finish func(time.Duration), err error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	arrived := make(chan struct{})
	go func() {
		defer close(arrived)
		_, _ = io.Copy(w, reader)
	}()
	return writer, func(drain time.Duration) {
		_ = writer.Close()
		_ = reader.SetReadDeadline(time.Now().Add(drain))
		<-arrived
		_ = reader.Close()
	}, nil
}

// exitStatus says how a command failed by itself; false where it could not be
// run at all.
func exitStatus(err error) (string, bool) {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.String(), true // "exit status 2", "signal: killed"
	}
	return "", false
}
