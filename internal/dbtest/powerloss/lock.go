package powerloss

import (
	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// locks are those that connections hold on a database; in WAL mode the shared
// memory has its own.
type locks struct {
	shared   int
	reserved *handle
	pending  *handle // waits for, or has, the file for itself
}

// Lock implements [vfs.File]. It does not wait: SQLite does.
func (h *handle) Lock(level vfs.LockLevel) error {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	l := &h.file.locks
	if h.level >= level {
		return nil
	}
	switch level {
	case vfs.LOCK_SHARED:
		if l.pending != nil {
			return sqlite3.BUSY
		}
		l.shared++
	case vfs.LOCK_RESERVED:
		if l.reserved != nil {
			return sqlite3.BUSY
		}
		l.reserved = h
	case vfs.LOCK_EXCLUSIVE:
		if l.pending != nil && l.pending != h {
			return sqlite3.BUSY
		}
		l.pending = h
		if l.shared > 1 {
			h.level = vfs.LOCK_PENDING
			return sqlite3.BUSY
		}
	}
	h.level = level
	return nil
}

// Unlock implements [vfs.File].
func (h *handle) Unlock(level vfs.LockLevel) error {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	l := &h.file.locks
	if h.level <= level {
		return nil
	}
	if l.reserved == h {
		l.reserved = nil
	}
	if l.pending == h {
		l.pending = nil
	}
	if level == vfs.LOCK_NONE {
		l.shared--
	}
	h.level = level
	return nil
}

// CheckReservedLock implements [vfs.File].
func (h *handle) CheckReservedLock() (bool, error) {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	return h.file.locks.reserved != nil, nil
}

// LockState implements [vfs.FileLockState].
func (h *handle) LockState() vfs.LockLevel { return h.level }
