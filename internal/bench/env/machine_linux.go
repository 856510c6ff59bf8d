package env

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// tick is the unit of times in /proc on every Linux that Go runs on.
const tick = time.Second / 100

// busyTime is the processor time of all programs since the machine was started,
// including what its host took away.
func busyTime() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := bytes.Fields(line) // cpu user nice system idle iowait irq softirq steal
	if len(fields) < 9 {
		return 0
	}
	return ticks(fields[1], fields[2], fields[3], fields[6], fields[7], fields[8])
}

// treeTime is the processor time of a process and its children, including those
// that have ended.
func treeTime(pid int) time.Duration {
	parent := strconv.Itoa(pid)
	var all time.Duration
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, after, ok := bytes.Cut(text, []byte(") ")) // behind the name
		fields := bytes.Fields(after)
		if !ok || len(fields) < 15 {
			continue
		}
		self := filepath.Base(filepath.Dir(path)) == parent
		if self || string(fields[1]) == parent {
			all += ticks(fields[11], fields[12])
		}
		if self {
			all += ticks(fields[13], fields[14])
		}
	}
	return all
}

func ticks(fields ...[]byte) time.Duration {
	var sum time.Duration
	for _, f := range fields {
		n, _ := strconv.ParseInt(string(f), 10, 64)
		sum += time.Duration(n) * tick
	}
	return sum
}

// ResidentMemory is how many bytes of memory this process occupies, or zero if the
// system does not say.
func ResidentMemory() uint64 {
	text, err := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(text)
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseUint(string(fields[1]), 10, 64)
	return pages * uint64(os.Getpagesize())
}

// PeakMemory is the most memory in bytes that this process has occupied, or zero if the
// system does not say.
func PeakMemory() uint64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := bytes.Cut(text, []byte("VmHWM:"))
	fields := bytes.Fields(after)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseUint(string(fields[0]), 10, 64)
	return kib << 10
}

// SyncData flushes what was written to disk, without the file's times.
func SyncData(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
