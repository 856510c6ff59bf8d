package jobs

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"
)

// unusedUID is a user id that no user has. As a 16-bit value it is the error
// value -1, so distributions do not assign it, and the user namespaces of
// containers include it.
const unusedUID = 0xFFFF

// capabilityVersion is the version of capset(2) since Linux 2.6.26.
const capabilityVersion = 0x20080522

// newUserKiller returns a function that kills all processes of another user.
//
//   - It kills them in one step, with kill(2) of -1, so none can fork meanwhile.
//   - It runs on a thread that may kill that user's processes and no others. The
//     user cannot kill the thread.
//   - It does not read /proc, which may hide processes.
//   - It starts no process, because the process limit may be reached.
//
// The function is not safe for concurrent use.
func newUserKiller(user User) (kill func(), err error) {
	ready, requests, done := make(chan error), make(chan struct{}), make(chan struct{})
	go func() {
		runtime.LockOSThread() // never unlocked: the thread cannot be used for anything else
		err := restrictThread(user)
		ready <- err
		if err != nil {
			return
		}
		for range requests {
			_ = syscall.Kill(-1, syscall.SIGKILL)
			done <- struct{}{}
		}
	}()
	if err := <-ready; err != nil {
		return nil, fmt.Errorf("preparing a thread to kill the user's processes: %w", err)
	}
	return func() { requests <- struct{}{}; <-done }, nil
}

// restrictThread drops all privileges of this thread except to kill the user's
// processes. By kill(2), the effective user id decides which processes the thread
// may kill, and the real and the saved ids decide who may kill the thread. If
// restrictThread returns an error, the thread must not call kill.
func restrictThread(user User) error {
	if _, _, err := syscall.RawSyscall(setresuid(), unusedUID, uintptr(user.uid), unusedUID); err != 0 {
		return fmt.Errorf("setresuid: %w", err)
	}
	header := struct {
		version uint32
		pid     int32 // 0 is this thread
	}{version: capabilityVersion}
	var none [6]uint32 // effective, permitted and inheritable, twice 32 bits of each
	if _, _, err := syscall.RawSyscall(syscall.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none)), 0); err != 0 {
		return fmt.Errorf("capset: %w", err)
	}
	// With any privilege left, kill(-1) would also kill the program or every other
	// process of the machine.
	status, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		return err
	}
	for _, line := range []string{
		fmt.Sprintf("\nUid:\t%d\t%d\t%d\t%d\n", unusedUID, user.uid, unusedUID, user.uid),
		"\nCapPrm:\t0000000000000000\n",
		"\nCapEff:\t0000000000000000\n",
	} {
		if !strings.Contains(string(status), line) {
			return fmt.Errorf("/proc/thread-self/status does not have %q", strings.TrimSpace(line))
		}
	}
	return nil
}

// setresuid returns the number of the setresuid system call with 32-bit ids.
func setresuid() uintptr {
	if runtime.GOARCH == "386" || runtime.GOARCH == "arm" {
		return 208
	}
	return syscall.SYS_SETRESUID
}
