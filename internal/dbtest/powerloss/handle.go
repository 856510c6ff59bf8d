package powerloss

import (
	"io"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// A handle is a file opened by one connection.
type handle struct {
	disk          *Disk
	name          string
	file          *file
	shared        vfs.SharedMemory // nil but for a database
	level         vfs.LockLevel
	checkpointing bool
}

var (
	_ vfs.FileSharedMemory = (*handle)(nil)
	_ vfs.FileCheckpoint   = (*handle)(nil)
	_ vfs.FileLockState    = (*handle)(nil)
)

func (h *handle) Close() error {
	if h.shared != nil {
		_ = h.shared.Close()
	}
	return h.Unlock(vfs.LOCK_NONE)
}

func (h *handle) ReadAt(b []byte, at int64) (int, error) {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if at >= int64(len(h.file.data)) {
		return 0, io.EOF
	}
	n := copy(b, h.file.data[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (h *handle) WriteAt(b []byte, at int64) (int, error) {
	h.watch("write")
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if grown := at + int64(len(b)) - int64(len(h.file.data)); grown > 0 {
		if room := h.disk.Room.Load(); room > 0 && h.disk.used()+grown > room {
			return 0, sqlite3.FULL
		}
	}
	h.file.write(b, at)
	return len(b), nil
}

func (h *handle) Truncate(size int64) error {
	h.watch("truncate")
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	h.file.truncate(size)
	return nil
}

func (h *handle) Sync(vfs.SyncFlag) error {
	h.watch("sync")
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if !h.disk.ignoresSync(h.name) {
		h.disk.sync(h.name, h.file)
	}
	return nil
}

func (h *handle) Size() (int64, error) {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	return int64(len(h.file.data)), nil
}

// SectorSize and DeviceCharacteristics are those that the drivers report for a usual
// file system.
func (h *handle) SectorSize() int { return 4096 }

func (h *handle) DeviceCharacteristics() vfs.DeviceCharacteristic {
	return vfs.IOCAP_POWERSAFE_OVERWRITE | vfs.IOCAP_SUBPAGE_READ
}

// SharedMemory implements [vfs.FileSharedMemory].
func (h *handle) SharedMemory() vfs.SharedMemory { return h.shared }

// CheckpointStart implements [vfs.FileCheckpoint].
func (h *handle) CheckpointStart() { h.checkpointing = true }

// CheckpointDone implements [vfs.FileCheckpoint].
func (h *handle) CheckpointDone() {
	h.checkpointing = false
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	h.disk.checkpoints++
}

func (h *handle) watch(op string) {
	h.disk.watch(Change{Op: op, Name: h.name, Checkpoint: h.checkpointing})
}
