//go:build unix

package pace

import (
	"syscall"
	"time"
)

// ProcessTime is the processor time that all threads of this process have used.
// Unlike the clock it does not advance while other programs have the processors.
func ProcessTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
