package durable

import (
	"os"
	"syscall"
)

// syncData flushes what was written to disk, without the file's times.
func syncData(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
