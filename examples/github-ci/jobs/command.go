package jobs

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// outputTimeout is how long Run waits for the output of an ended command if a process that
// could not be killed keeps it open.
const outputTimeout = 5 * time.Second

// lockFD is the file descriptor of the Dir's lock in a supervisor.
const lockFD = 3

// A Command is one process, and everything that it starts.
type Command struct {
	User   User      // zero means this program's own user
	Args   []string  // the program, which is looked up in the PATH of Env, and its arguments
	Dir    string    // the working directory
	Env    []string  // the complete environment; nothing is inherited
	Output io.Writer // gets standard error, and standard output if Stdout is nil
	Stdout io.Writer // if not nil, gets standard output, and Run fails if it is incomplete
}

// Run runs the command and returns when it and all processes that it started have ended.
// If ctx is done first, Run kills them and returns the cause of ctx. The error of a command
// that failed is one that [ExitStatus] reads.
func (d *Dir) Run(ctx context.Context, c Command) error {
	self, err := executablePath()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, append([]string{superviseArg, c.User.String()}, c.Args...)...)
	cmd.Args[0] = filepath.Base(os.Args[0])
	cmd.Dir, cmd.Env = c.Dir, c.Env
	cmd.Stdout, cmd.Stderr = c.Output, c.Output
	if c.Stdout != nil {
		cmd.Stdout = c.Stdout
	}
	cmd.ExtraFiles = []*os.File{d.lock}
	cmd.SysProcAttr = User{}.sysProcAttr()
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
	if c.Stdout == nil && errors.Is(err, exec.ErrWaitDelay) {
		return nil // only the end of a log may be missing
	}
	return err
}

// ExitStatus returns the exit status of a failed command, such as "exit status 2". It is
// 128 plus the number of the signal if one has killed the command. ExitStatus returns false
// if the command could not be run or its supervisor was killed.
func ExitStatus(err error) (string, bool) {
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return exit.String(), true
	}
	return "", false
}
