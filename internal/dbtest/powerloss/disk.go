package powerloss

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3/vfs"
)

// A Disk is a folder of files for SQLite that keeps apart what is durable; see the
// package comment. Make it with [NewDisk]. It is safe for concurrent use by any number
// of connections.
type Disk struct {
	// IgnoreSync, if not nil, reports whether syncs of a file have no effect although
	// they are reported as done. Set it before use.
	IgnoreSync func(name string) bool
	// Watch, if not nil, is called before each change and each sync, in the goroutine
	// of the connection that makes it. It may call Cut and open other disks. Set it
	// before use.
	Watch func(c Change)
	// Room is the maximum size of all files together, in bytes. Beyond it the disk is
	// full. Zero means no limit.
	Room atomic.Int64

	name   string // of the VFS
	shared string // folder of the files for shared memory

	mu          sync.Mutex
	visible     map[string]*file // names as programs see them
	durable     map[string]*file // names that are durable
	checkpoints int
}

// A Change is about to happen to a file: "write", "truncate", "sync" or "delete".
type Change struct {
	Op, Name string
	// Checkpoint: the log is being written back.
	Checkpoint bool
}

// A file has a name while it is visible or durable.
type file struct {
	data, durable      []byte
	dirtyFrom, dirtyTo int // data outside of this equals kept, as far as both go
	locks              locks
}

// An Image is the files that are left on a disk.
type Image map[string][]byte

var disks atomic.Int64

// NewDisk makes a disk with the files of img, all of them durable, and registers it as
// a VFS of SQLite. It keeps the bytes of img. Close the disk after its connections.
func NewDisk(img Image) (*Disk, error) {
	shared, err := os.MkdirTemp("", "hookhouse-disk-")
	if err != nil {
		return nil, err
	}
	d := &Disk{
		name:    fmt.Sprint("powerloss", disks.Add(1)),
		shared:  shared,
		visible: make(map[string]*file),
	}
	for name, data := range img {
		d.visible[name] = &file{data: data, durable: append([]byte(nil), data...)}
	}
	d.durable = maps.Clone(d.visible)
	vfs.Register(d.name, d)
	return d, nil
}

// Close unregisters and deletes the disk.
func (d *Disk) Close() error {
	vfs.Unregister(d.name)
	return os.RemoveAll(d.shared)
}

// DSN returns the DSN of a file for the driver of ncruces, with settings such as
// "_pragma=synchronous(FULL)".
func (d *Disk) DSN(name string, settings ...string) string {
	return fmt.Sprintf("file:%s?vfs=%s&%s", name, d.name, strings.Join(settings, "&"))
}

// Checkpoints returns how often the log was written back.
func (d *Disk) Checkpoints() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.checkpoints
}

// Used returns the size of all files together, in bytes.
func (d *Disk) Used() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.used()
}

func (d *Disk) used() int64 {
	var n int64
	for _, f := range d.visible {
		n += int64(len(f.data))
	}
	return n
}

// sync makes a file durable, and its name if that is new.
func (d *Disk) sync(name string, f *file) {
	f.sync()
	if d.visible[name] == f && d.durable[name] != f {
		d.durable = maps.Clone(d.visible)
	}
}

func (d *Disk) watch(c Change) {
	if d.Watch != nil {
		d.Watch(c)
	}
}

func (d *Disk) sharedFile(name string) string {
	return filepath.Join(d.shared, filepath.Base(name)+"-shm")
}

func (f *file) write(b []byte, at int64) {
	end := int(at) + len(b)
	if end > len(f.data) {
		f.markDirty(len(f.data), end) // what is skipped is zero
		f.data = append(f.data, make([]byte, end-len(f.data))...)
	}
	f.markDirty(int(at), end)
	copy(f.data[at:], b)
}

func (f *file) truncate(size int64) {
	switch n := int(size); {
	case n < len(f.data):
		f.markDirty(n, len(f.data))
		clear(f.data[n:]) // or it would be back after growing again
		f.data = f.data[:n]
	case n > len(f.data):
		f.markDirty(len(f.data), n)
		f.data = append(f.data, make([]byte, n-len(f.data))...)
	}
}

func (f *file) markDirty(low, high int) {
	if f.dirtyFrom == f.dirtyTo {
		f.dirtyFrom, f.dirtyTo = low, high
		return
	}
	f.dirtyFrom, f.dirtyTo = min(f.dirtyFrom, low), max(f.dirtyTo, high)
}

func (f *file) sync() {
	if grown := len(f.data) - len(f.durable); grown > 0 {
		f.durable = append(f.durable, make([]byte, grown)...)
	}
	f.durable = f.durable[:len(f.data)]
	if low, high := f.dirtyFrom, min(f.dirtyTo, len(f.data)); low < high {
		copy(f.durable[low:high], f.data[low:high])
	}
	f.dirtyFrom, f.dirtyTo = 0, 0
}
