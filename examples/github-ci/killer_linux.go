package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"
)

// nobodys is a user id that is no user's: as 16 bits it is an error value, so
// that distributions keep it free, and user namespaces of containers have it.
const nobodys = 0xFFFF

// capabilityVersion is what capset(2) has taken since Linux 2.6.26.
const capabilityVersion = 0x20080522

// userKiller returns what kills every process of another user at one moment, so
// that none can bear another meanwhile: kill(2) of -1, on a thread that may kill
// that user's processes and no others. It does not look at /proc, which may hide
// them, nor does it need one more process, for which there may be no room left.
// The user cannot kill the thread. Only one goroutine may call kill.
func userKiller(who account) (kill func(), err error) {
	ready, ask, done := make(chan error), make(chan struct{}), make(chan struct{})
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread is of no other use
		err := confine(who)
		ready <- err
		if err != nil {
			return
		}
		for range ask {
			_ = syscall.Kill(-1, syscall.SIGKILL)
			done <- struct{}{}
		}
	}()
	if err := <-ready; err != nil {
		return nil, fmt.Errorf("getting ready to kill what it leaves: %w", err)
	}
	return func() { ask <- struct{}{}; <-done }, nil
}

// confine leaves this thread the right to kill what is the user's, and no other.
// Its effective user is what it kills by, and the other two what it can be
// killed by (kill(2)). An error means that it must not kill at all.
func confine(who account) error {
	if _, _, err := syscall.RawSyscall(setresuid(), nobodys, uintptr(who.uid), nobodys); err != 0 {
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
	// With one right too many it would kill ourselves, or the whole machine.
	status, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		return err
	}
	for _, line := range []string{
		fmt.Sprintf("\nUid:\t%d\t%d\t%d\t%d\n", nobodys, who.uid, nobodys, who.uid),
		"\nCapPrm:\t0000000000000000\n",
		"\nCapEff:\t0000000000000000\n",
	} {
		if !strings.Contains(string(status), line) {
			return fmt.Errorf("the thread has not %q", strings.TrimSpace(line))
		}
	}
	return nil
}

// setresuid is the system call whose ids have 32 bits.
func setresuid() uintptr {
	if runtime.GOARCH == "386" || runtime.GOARCH == "arm" {
		return 208
	}
	return syscall.SYS_SETRESUID
}
