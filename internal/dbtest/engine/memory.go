package engine

import "syscall"

// roomInMemory is what a memory file system must have free for a package's tests,
// several times what they use.
const roomInMemory = 1 << 30

// Memory returns a folder of a memory file system, for [Main] of tests that wait
// for thousands of commits. It returns "", the folder for temporary files, if the
// system has none with a gigabyte free.
//
// What the databases ask of a file system stays the same, their flushes included.
// What a killed process has written stays in either; only a loss of power tells
// them apart, and package powerloss simulates that by itself.
func Memory() string {
	const folder = "/dev/shm"
	var fs syscall.Statfs_t
	if err := syscall.Statfs(folder, &fs); err != nil || uint64(fs.Bavail)*uint64(fs.Bsize) < roomInMemory {
		return ""
	}
	return folder
}
