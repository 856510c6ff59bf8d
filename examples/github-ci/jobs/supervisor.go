package jobs

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

// superviseArg is the first argument of this program when it runs as the
// supervisor of one command.
const superviseArg = "supervise"

// killInterval is the pause between two calls of kill.
const killInterval = 2 * time.Millisecond

// maxReaps is the maximum number of processes that are reaped before the
// supervisor checks again whether to kill.
const maxReaps = 100

// A supervisor is a process between the program and one command.
//
//   - Every process of the command stays a descendant of the supervisor, because
//     an orphan becomes the supervisor's own child.
//   - It kills all of them when the command ends, or when its standard input is
//     closed. The program closes it to stop the command; it is also closed when the
//     program dies.
//   - It keeps the lock of the Dir open and ends when it has no
//     descendants left. So an unlocked Dir means that no process is left.
type supervisor struct {
	user User
	args []string
	env  []string
}

// Supervise runs this process as the supervisor of a command, and does not return, if
// [Dir.Run] has started it as one. Otherwise it returns at once. Call it first in main, and
// in TestMain of tests that run commands.
//
// The supervisor exits with the command's exit status or, as a shell does, with 128 plus
// the signal number if a signal killed the command. If the command cannot be started, it
// prints the reason and kills itself, so the failure cannot be confused with an exit status.
func Supervise() {
	if len(os.Args) < 4 || os.Args[1] != superviseArg {
		return
	}
	// The attributes that run sets belong to a thread, so this thread must also start
	// the command.
	runtime.LockOSThread()
	syscall.CloseOnExec(lockFD)
	s := supervisor{args: os.Args[3:], env: os.Environ()}
	var err error
	if s.user, err = parseUser(os.Args[2]); err == nil {
		var status syscall.WaitStatus
		if status, err = s.run(); err == nil {
			if status.Signaled() {
				os.Exit(128 + int(status.Signal()))
			}
			os.Exit(status.ExitStatus())
		}
	}
	fmt.Fprintln(os.Stderr, "cannot start the command:", err)
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func (s supervisor) run() (status syscall.WaitStatus, err error) {
	if err := adoptOrphans(); err != nil {
		return status, fmt.Errorf("adopting orphans: %w", err)
	}
	if err := dropPrivileges(); err != nil {
		return status, fmt.Errorf("dropping rights: %w", err)
	}
	syscall.Umask(0o022) // the program's own umask may make files private
	path, err := exec.LookPath(s.args[0])
	if err != nil {
		return status, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return status, err
	}
	kill, err := newKiller(s.user) // before the start: never start what cannot be killed
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
		Sys:   s.user.sysProcAttr(),
	})
	if err != nil {
		return status, fmt.Errorf("%s: %w", path, err)
	}
	// Reaping and killing alternate, so that kill never gets a pid that was reused.
	// maxReaps ensures that an endless stream of ended processes does not delay the
	// killing.
	killing, reaped := false, false
	for {
		child := pid
		for n := 0; n < maxReaps && child > 0; n++ {
			var one syscall.WaitStatus
			child, err = syscall.Wait4(-1, &one, syscall.WNOHANG, nil)
			if errors.Is(err, syscall.ECHILD) {
				kill(pid, reaped) // on systems where orphans are not adopted
				return status, nil
			}
			if child == pid {
				status, killing, reaped = one, true, true
			}
		}
		var again <-chan time.Time // nil while the command may run
		switch {
		case killing:
			kill(pid, reaped)
			again = time.After(killInterval)
		case child > 0:
			again = time.After(0)
		}
		select {
		case <-changed:
		case <-stopped:
			killing, stopped = true, nil
		case <-again:
		}
	}
}
