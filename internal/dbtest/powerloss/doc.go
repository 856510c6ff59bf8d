// Package powerloss simulates a power loss under a SQLite database and checks what is
// left. Killing a process does not show whether fsync was called: the kernel keeps
// what was written. A [Disk] does not.
//
// # The disk
//
// A Disk is a file system of one folder for SQLite, in memory. It keeps two versions
// of each file and of the folder: what programs see, and what is durable.
//
//   - A write, an append or a truncation is durable once the file is synced.
//   - The name of a new file is durable once the file is synced, which is when
//     SQLite syncs the folder of a journal. That makes all names of the folder
//     durable.
//   - A deletion is durable when SQLite asks to sync the folder with it, or with the
//     next new name. Until then the file may come back.
//   - Shared memory is not on the disk.
//
// [Disk.Cut] is the moment of the power loss. It returns an [Image]: what is durable,
// and a part of the rest that a [Loss] describes, in sectors that are written whole or
// not at all. The zero Loss loses everything that was not synced.
//
// Not in the model: a disk that ignores syncs (that is [Disk.IgnoreSync], which tests
// of the tests use), sectors with garbage, and the first version of a sector that was
// written twice without a sync.
//
// # The run
//
// A [Run] stores deliveries in a webhook/sqlinbox on such a Disk, from many senders at
// the same time, while a worker settles some. The power fails at each acknowledgement,
// before the first byte of the answer is sent, and at many moments in between, also
// during checkpoints. The run itself goes on. In each Image SQLite must find an intact
// database, every acknowledged delivery with its whole body, and every settled
// delivery in its state. The [Report] has what is missing: with synchronous=NORMAL
// something must be.
package powerloss
