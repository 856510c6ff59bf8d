package jobs

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Options of prctl(2).
const (
	prSetDumpable        = 4
	prSetChildSubreaper  = 36
	prSetNoNewPrivs      = 38
	prCapAmbient         = 47
	prCapAmbientClearAll = 4 // argument of prCapAmbient
)

func prctl(option, argument uintptr) error {
	if _, _, err := syscall.RawSyscall6(syscall.SYS_PRCTL, option, argument, 0, 0, 0, 0); err != 0 {
		return err
	}
	return nil
}

// executablePath returns the path of the running program. It remains valid after
// the file is replaced.
func executablePath() (string, error) { return "/proc/self/exe", nil }

// usersSupported reports whether commands can run as another user, so that all
// processes of that user can be killed.
const usersSupported = true

// adoptOrphans makes this process the parent of every descendant whose parent
// ends.
func adoptOrphans() error { return prctl(prSetChildSubreaper, 1) }

// dropPrivileges ensures that the processes that this thread starts have only the
// privileges of their user. It drops the capabilities that the program was started
// with, and disables set-user-ID programs such as sudo, with which a process
// could also become a user whose processes the program may not kill.
func dropPrivileges() error {
	if err := prctl(prSetNoNewPrivs, 1); err != nil {
		return err
	}
	return prctl(prCapAmbient, prCapAmbientClearAll)
}

// HideMemory prevents other processes of the same user from reading this
// process's memory and initial environment. It does not protect against root.
func HideMemory() error { return prctl(prSetDumpable, 0) }

// newKiller returns a function that kills all processes of a command. If the
// command has its own user, the function kills all processes of that user,
// otherwise the descendants of this process that it finds. It may be called
// repeatedly until none is left. The command itself is killed by its pid unless
// it was reaped: then the pid may belong to another process.
func newKiller(user User) (kill func(pid int, reaped bool), err error) {
	killRest := killDescendants
	if !user.isSelf() {
		if killRest, err = newUserKiller(user); err != nil {
			return nil, err
		}
	}
	return func(pid int, reaped bool) {
		if !reaped {
			_ = syscall.Kill(-pid, syscall.SIGKILL)
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		killRest()
	}, nil
}

// killDescendants kills the descendants of this process. A /proc that hides
// processes still shows those of our own user.
func killDescendants() {
	for _, pid := range descendants(os.Getpid()) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// processOf returns the pid of a process of the user, or "" if /proc shows none.
func processOf(user User) string {
	dirs, _ := filepath.Glob("/proc/[1-9]*")
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil {
			continue // the process has ended
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid == user.uid {
			return filepath.Base(dir)
		}
	}
	return ""
}

// descendants returns the pids of all descendants of a process.
func descendants(of int) (below []int) {
	children := make(map[int][]int)
	proc, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1)
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue // the process has ended
		}
		// The fields after the name, which may contain any character, are the state and
		// the parent.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) > 1 {
			if parent, err := strconv.Atoi(string(fields[1])); err == nil {
				children[parent] = append(children[parent], pid)
			}
		}
	}
	below = children[of]
	for n := 0; n < len(below); n++ {
		below = append(below, children[below[n]]...)
	}
	return below
}
