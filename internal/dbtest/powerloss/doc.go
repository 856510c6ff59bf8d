// Package powerloss cuts the power under a SQLite database and looks at what is
// left. Killing a process never shows whether fsync was called: the kernel
// keeps what was written. A [Disk] does not.
//
// # The disk
//
// A Disk is a file system of one folder for SQLite, in memory. Of each file it
// has what programs see and what is durable, and of the folder as well:
//
//   - What is written, appended or cut off is durable once the file is synced.
//   - A new file has a durable name once it is synced, which is when SQLite
//     syncs the folder of a journal. That makes all names durable as they then
//     are, since it is one folder.
//   - A deletion is durable when SQLite asks for the folder to be synced with
//     it, or with the next new name. Until then the file may come back.
//   - Shared memory is not on the disk.
//
// [Disk.Cut] is the moment of the power loss. It returns an [Image]: what is
// durable, and of the rest as much as a [Loss] says, in sectors that are whole
// or not written at all. The zero Loss loses everything that was not synced.
//
// Not in the model: a disk that says synced and lies (that is [Disk.Deaf], for
// tests of the test), sectors that turn to garbage, and of a sector written
// twice without a sync the first version.
//
// # The run
//
// A [Run] stores deliveries in a webhook/sqlinbox on such a Disk, from many
// senders at once, while a worker settles some. The power fails at each
// acknowledgement, before a byte of the answer has left, and at many moments in
// between, also in the middle of checkpoints; the run itself goes on. In each
// Image SQLite must find the database whole, every acknowledged delivery in it
// with its whole body, and every settled one settled. What is missing is in the
// [Report]: a run with synchronous=NORMAL must have some.
package powerloss
