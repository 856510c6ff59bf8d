// Package unflushed is a file system in memory, mounted by FUSE, that forgets what was not
// flushed, as a machine does that loses power.
//
// [Disk.Cut] gives each file the bytes that it had at its last fsync or fdatasync. What
// programs do to folders, such as to create, rename or delete a file, remains: file systems with
// a log flush that together with the file. A file that was never flushed is empty.
package unflushed
