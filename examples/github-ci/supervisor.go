package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// supervise is the first argument of this program where it is started as the
// supervisor of one command.
const supervise = "supervise"

// killPause is between two rounds of killing.
const killPause = 2 * time.Millisecond

// reapedAtOnce is how many processes are reaped between two looks at whether to
// kill.
const reapedAtOnce = 100

// A supervisor is a process between github-ci and one command. Every process
// that comes of the command is below it for good, since what loses its parent
// becomes the supervisor's own child. It kills them all when the command ends,
// or when its standard input does: github-ci closes that to stop the command,
// and its death closes it as well. It has the lock of the data folder open, and
// ends when nothing is left below it. Then nothing is left at all.
type supervisor struct {
	who  account
	args []string
	env  []string
}

// superviseMain is main in such a process; args are an account and the command.
// It ends with the command's exit status, 128 and the number where a signal
// killed it, as in a shell. Where the command could not be started, it says why
// and kills itself, so that no exit status can be taken for that.
func superviseMain(args []string) {
	// What the kernel keeps for each thread is set on the one that starts the
	// command.
	runtime.LockOSThread()
	syscall.CloseOnExec(lockFile)
	s := supervisor{args: args[1:], env: os.Environ()}
	var err error
	if s.who, err = parseAccount(args[0]); err == nil {
		var status syscall.WaitStatus
		if status, err = s.run(); err == nil {
			if status.Signaled() {
				os.Exit(128 + int(status.Signal()))
			}
			os.Exit(status.ExitStatus())
		}
	}
	fmt.Fprintln(os.Stderr, "github-ci: the command was not started:", err)
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func (s supervisor) run() (status syscall.WaitStatus, err error) {
	if err := adoptOrphans(); err != nil {
		return status, fmt.Errorf("adopting orphans: %w", err)
	}
	if err := dropRights(); err != nil {
		return status, fmt.Errorf("dropping rights: %w", err)
	}
	syscall.Umask(0o022) // not that of github-ci, which hides its files
	path, err := exec.LookPath(s.args[0])
	if err != nil {
		return status, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return status, err
	}
	kill, err := newKiller(s.who) // first: what cannot be killed is not started
	if err != nil {
		return status, err
	}
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, syscall.SIGCHLD)
	stopped := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(stopped)
	}()
	pid, err := syscall.ForkExec(path, s.args, &syscall.ProcAttr{
		Env:   s.env,
		Files: []uintptr{null.Fd(), 1, 2},
		Sys:   s.who.start(),
	})
	if err != nil {
		return status, fmt.Errorf("%s: %w", path, err)
	}
	// Reaping and killing take turns, so that no number is killed that is somebody
	// else's by now. What ends without end must not put off the killing.
	over, reaped := false, false
	for {
		child := pid
		for n := 0; n < reapedAtOnce && child > 0; n++ {
			var one syscall.WaitStatus
			child, err = syscall.Wait4(-1, &one, syscall.WNOHANG, nil)
			if errors.Is(err, syscall.ECHILD) {
				kill(pid, reaped) // where orphans are not ours
				return status, nil
			}
			if child == pid {
				status, over, reaped = one, true, true
			}
		}
		var again <-chan time.Time // never, while the command may run
		switch {
		case over:
			kill(pid, reaped)
			again = time.After(killPause)
		case child > 0:
			again = time.After(0)
		}
		select {
		case <-changed:
		case <-stopped:
			over, stopped = true, nil
		case <-again:
		}
	}
}
