//go:build !linux

package env

import (
	"os"
	"time"
)

// Other systems do not say: zero.

func busyTime() time.Duration    { return 0 }
func treeTime(int) time.Duration { return 0 }
func ResidentMemory() uint64     { return 0 }
func PeakMemory() uint64         { return 0 }

func SyncData(f *os.File) error { return f.Sync() }
