package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// From prctl(2).
const (
	setDumpable       = 4
	setChildSubreaper = 36
	setNoNewPrivs     = 38
	capAmbient        = 47
	clearAll          = 4 // of capAmbient
)

func prctl(option, argument uintptr) error {
	if _, _, err := syscall.RawSyscall6(syscall.SYS_PRCTL, option, argument, 0, 0, 0, 0); err != 0 {
		return err
	}
	return nil
}

// ownProgram is the program that runs, also after another was installed.
func ownProgram() (string, error) { return "/proc/self/exe", nil }

// accountsWork: processes can be started as another user, and all of them killed.
const accountsWork = true

// adoptOrphans makes this process the parent of all below it whose parent ends.
func adoptOrphans() error { return prctl(setChildSubreaper, 1) }

// dropRights keeps what this thread starts from having rights that another user
// has not: capabilities that came with our own start, and those of set-user-ID
// programs such as sudo, by which it could also become somebody whom we may not
// kill.
func dropRights() error {
	if err := prctl(setNoNewPrivs, 1); err != nil {
		return err
	}
	return prctl(capAmbient, clearAll)
}

// hideMemory keeps other processes of the same user from reading our memory and
// the environment that we were started with. It is of no use against root.
func hideMemory() error { return prctl(setDumpable, 0) }

// newKiller returns what kills all that came of a command, and may be called
// again until nothing is left: by user where it has one for itself, else what is
// found below this process. The command itself is killed without being looked
// for, unless it was reaped: then its number may be somebody else's.
func newKiller(who account) (kill func(pid int, reaped bool), err error) {
	killRest := killDescendants
	if !who.isOurs() {
		if killRest, err = userKiller(who); err != nil {
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

// killDescendants kills what is below this process. Where /proc hides processes
// it does not hide those of our own user.
func killDescendants() {
	for _, pid := range descendants(os.Getpid()) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// processOf returns a process of a user as far as /proc shows them; empty means
// none.
func processOf(who account) string {
	dirs, _ := filepath.Glob("/proc/[1-9]*")
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil {
			continue // gone
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid == who.uid {
			return filepath.Base(dir)
		}
	}
	return ""
}

// descendants returns the processes below one.
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
			continue // gone
		}
		// After the name, which may hold anything: state, parent.
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
