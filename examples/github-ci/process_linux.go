package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// ownGroup puts a command into a process group of its own, and lets the kernel
// kill it when we are killed.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func killGroup(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) }

// killMarked kills all processes with the mark of the build in their
// environment, again until none is left: those that left the group, and those
// that outlived us. It gives up after five seconds.
func killMarked(build string) (killed int) {
	mark := []byte("\x00" + buildMark + "=" + build + "\x00")
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 250 {
		found := 0
		environs, _ := filepath.Glob("/proc/[0-9]*/environ")
		for _, name := range environs {
			environ, err := os.ReadFile(name)
			if err != nil || !bytes.Contains(append([]byte{0}, environ...), mark) {
				continue // another user's, or gone
			}
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			if err == nil && pid != os.Getpid() && syscall.Kill(pid, syscall.SIGKILL) == nil {
				found++
			}
		}
		if found == 0 {
			return killed
		}
		killed += found
		<-tick.C
	}
	return killed
}

// hideMemory keeps other processes of the same user, so the commands of builds,
// from reading our memory and the environment that we were started with, where
// the token is. It is of no use against root.
func hideMemory() error {
	const setDumpable = 4 // PR_SET_DUMPABLE of prctl(2)
	if _, _, err := syscall.RawSyscall(syscall.SYS_PRCTL, setDumpable, 0, 0); err != 0 {
		return err
	}
	return nil
}
