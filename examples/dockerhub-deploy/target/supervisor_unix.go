//go:build unix

package target

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// SuperviseArg is the first argument of this program when it runs as the supervisor of
// one run of -exec.
const SuperviseArg = "supervise"

// lockFD is the file descriptor of the lock file in a supervisor.
const lockFD = 3

// lockFile opens a file and locks it for this process, and for a supervisor that inherits
// it. It waits for a supervisor that a killed process has left.
func lockFile(ctx context.Context, name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			_ = f.Close()
			return nil, err
		}
		select {
		case <-ctx.Done():
			_ = f.Close()
			return nil, context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// Supervise runs a program, passes its output on, and exits with its status. If the
// process that started the supervisor is killed, the supervisor stays until the program
// has ended and holds the lock until then, so that the next process waits. The program
// and what it leaves running do not hold the lock.
func Supervise(args []string) {
	syscall.CloseOnExec(lockFD)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // nobody may read the output any more
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout = passOn{os.Stdout}
	cmd.Stderr = cmd.Stdout
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		os.Exit(0)
	case cmd.ProcessState != nil && cmd.ProcessState.Exited():
		os.Exit(cmd.ProcessState.ExitCode())
	default:
		fmt.Println(err) // it was not started, or a signal ended it
		os.Exit(126)
	}
}

// A passOn writes to a file, and drops what cannot be written. It has no ReadFrom, which
// would end at the first error and so end the program by SIGPIPE.
type passOn struct{ file *os.File }

func (p passOn) Write(text []byte) (int, error) {
	_, _ = p.file.Write(text)
	return len(text), nil
}

// setProcessGroup runs a program in a new process group, which is killed when its
// context is done, so no children are left. Ctrl-C in the terminal does not
// interrupt the group.
func setProcessGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
