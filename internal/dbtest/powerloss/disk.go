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

// A Disk is a folder of files for SQLite that knows what is durable; see the
// package comment. Make it with [NewDisk]. It is safe for concurrent use, by
// any number of connections.
type Disk struct {
	// Deaf tells of a file's name whether its syncs are swallowed: reported as
	// done, and not done. Set it before use. Zero means that none are.
	Deaf func(name string) bool
	// Watch is called before each change and each sync, in the goroutine of the
	// connection that makes it. It may cut, and may open other disks. Set it
	// before use. Zero means nobody.
	Watch func(c Change)
	// Room is how many bytes the files may have together; beyond it SQLite is told
	// that the disk is full. Zero means without bound.
	Room atomic.Int64

	name   string // of the VFS
	shared string // folder of the files that stand for shared memory

	mu          sync.Mutex
	seen        map[string]*file // names as programs see them
	kept        map[string]*file // names that are durable
	checkpoints int
}

// A Change is what is about to happen to a file: "write", "truncate", "sync" or
// "delete".
type Change struct {
	Op, Name string
	// Checkpoint: the log is being written back.
	Checkpoint bool
}

// A file is what a name leads to. It outlives its name while it is durable.
type file struct {
	data, kept []byte
	low, high  int // data outside of this equals kept, as far as both go
	locks      locks
}

// An Image is what is left on a disk: the bytes of each file.
type Image map[string][]byte

var disks atomic.Int64

// NewDisk makes a disk with the files of img, all of them durable, and a VFS
// of SQLite that leads to it. It keeps img's bytes. Close it after its
// connections.
func NewDisk(img Image) (*Disk, error) {
	shared, err := os.MkdirTemp("", "hookhouse-disk-")
	if err != nil {
		return nil, err
	}
	d := &Disk{
		name:   fmt.Sprint("powerloss", disks.Add(1)),
		shared: shared,
		seen:   make(map[string]*file),
	}
	for name, data := range img {
		d.seen[name] = &file{data: data, kept: append([]byte(nil), data...)}
	}
	d.kept = maps.Clone(d.seen)
	vfs.Register(d.name, d)
	return d, nil
}

// Close forgets the disk.
func (d *Disk) Close() error {
	vfs.Unregister(d.name)
	return os.RemoveAll(d.shared)
}

// DSN names the file as the driver of ncruces takes it, with settings such as
// "_pragma=synchronous(FULL)".
func (d *Disk) DSN(name string, settings ...string) string {
	return fmt.Sprintf("file:%s?vfs=%s&%s", name, d.name, strings.Join(settings, "&"))
}

// Checkpoints is how often the log was written back.
func (d *Disk) Checkpoints() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.checkpoints
}

// Used is how many bytes the files have together.
func (d *Disk) Used() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.used()
}

func (d *Disk) used() int64 {
	var n int64
	for _, f := range d.seen {
		n += int64(len(f.data))
	}
	return n
}

// sync makes a file durable, with its name if that is new.
func (d *Disk) sync(name string, f *file) {
	f.sync()
	if d.seen[name] == f && d.kept[name] != f {
		d.kept = maps.Clone(d.seen)
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
		f.touch(len(f.data), end) // what is skipped is zero
		f.data = append(f.data, make([]byte, end-len(f.data))...)
	}
	f.touch(int(at), end)
	copy(f.data[at:], b)
}

func (f *file) truncate(size int64) {
	switch n := int(size); {
	case n < len(f.data):
		f.touch(n, len(f.data))
		clear(f.data[n:]) // or it would be back after growing again
		f.data = f.data[:n]
	case n > len(f.data):
		f.touch(len(f.data), n)
		f.data = append(f.data, make([]byte, n-len(f.data))...)
	}
}

func (f *file) touch(low, high int) {
	if f.low == f.high {
		f.low, f.high = low, high
		return
	}
	f.low, f.high = min(f.low, low), max(f.high, high)
}

func (f *file) sync() {
	if grown := len(f.data) - len(f.kept); grown > 0 {
		f.kept = append(f.kept, make([]byte, grown)...)
	}
	f.kept = f.kept[:len(f.data)]
	if low, high := f.low, min(f.high, len(f.data)); low < high {
		copy(f.kept[low:high], f.data[low:high])
	}
	f.low, f.high = 0, 0
}
