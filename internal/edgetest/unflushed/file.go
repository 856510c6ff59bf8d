package unflushed

import (
	"context"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// maxFile limits the size of a file.
const maxFile = 1 << 30

// attributes are those of a file or a folder. They survive a cut.
type attributes struct {
	mode, uid, gid uint32
	changed        time.Time
}

// newAttributes returns those of what the caller makes.
func newAttributes(ctx context.Context, mode uint32) attributes {
	a := attributes{mode: mode & 0o7777, changed: time.Now()}
	if caller, ok := fuse.FromContext(ctx); ok {
		a.uid, a.gid = caller.Uid, caller.Gid
	}
	return a
}

func (a *attributes) fill(out *fuse.Attr, kind uint32, size int) {
	out.Mode, out.Uid, out.Gid, out.Size = kind|a.mode, a.uid, a.gid, uint64(size)
	out.SetTimes(&a.changed, &a.changed, &a.changed)
}

func (a *attributes) set(in *fuse.SetAttrIn) {
	if mode, ok := in.GetMode(); ok {
		a.mode = mode & 0o7777
	}
	if uid, ok := in.GetUID(); ok {
		a.uid = uid
	}
	if gid, ok := in.GetGID(); ok {
		a.gid = gid
	}
	if at, ok := in.GetMTime(); ok {
		a.changed = at
	}
}

// A file has the bytes that programs read, and those that are flushed.
type file struct {
	fs.Inode
	disk *Disk

	mu sync.Mutex
	attributes
	data, flushed []byte
	low, high     int // they may differ in this range, and in their lengths
}

var (
	_ fs.NodeOpener    = (*file)(nil)
	_ fs.NodeReader    = (*file)(nil)
	_ fs.NodeWriter    = (*file)(nil)
	_ fs.NodeFsyncer   = (*file)(nil)
	_ fs.NodeGetattrer = (*file)(nil)
	_ fs.NodeSetattrer = (*file)(nil)
)

// Open implements [fs.NodeOpener]. The kernel caches nothing, which a cut would not reach.
func (f *file) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if flags&syscall.O_TRUNC != 0 {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.resize(0)
	}
	return nil, fuse.FOPEN_DIRECT_IO, 0
}

func (f *file) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if off >= int64(len(f.data)) {
		return fuse.ReadResultData(nil), 0
	}
	return fuse.ReadResultData(dest[:copy(dest, f.data[off:])]), 0
}

func (f *file) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	f.mu.Lock()
	defer f.mu.Unlock()
	end := off + int64(len(data))
	if end > maxFile {
		return 0, syscall.EFBIG
	}
	if int(end) > len(f.data) {
		f.resize(int(end))
	}
	copy(f.data[off:], data)
	f.touch(int(off), int(end))
	f.changed = time.Now()
	return uint32(len(data)), 0
}

// resize cuts the file off or appends zeros.
func (f *file) resize(size int) {
	old := len(f.data)
	if size <= old {
		clear(f.data[size:])
		f.data = f.data[:size]
	} else {
		f.data = append(f.data, make([]byte, size-old)...)
	}
	f.touch(min(old, size), max(old, size))
}

// touch notes that a range may differ from what is flushed.
func (f *file) touch(from, to int) {
	if f.low == f.high {
		f.low, f.high = from, to
		return
	}
	f.low, f.high = min(f.low, from), max(f.high, to)
}

// Fsync implements [fs.NodeFsyncer], for fsync and fdatasync.
func (f *file) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	if !f.disk.ignoresFlushes() {
		f.flush()
	}
	return 0
}

func (f *file) flush() {
	f.mu.Lock()
	defer f.mu.Unlock()
	size := len(f.data)
	if size < len(f.flushed) {
		f.flushed = f.flushed[:size]
	} else {
		f.flushed = append(f.flushed, make([]byte, size-len(f.flushed))...)
	}
	if low := min(f.low, size); low < min(f.high, size) {
		copy(f.flushed[low:], f.data[low:min(f.high, size)])
	}
	f.low, f.high = 0, 0
}

// cut forgets what was not flushed.
func (f *file) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.data = append([]byte(nil), f.flushed...)
	f.low, f.high = 0, 0
}

func (f *file) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fill(&out.Attr, syscall.S_IFREG, len(f.data))
	return 0
}

func (f *file) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	f.mu.Lock()
	defer f.mu.Unlock()
	if size, ok := in.GetSize(); ok {
		if size > maxFile {
			return syscall.EFBIG
		}
		f.resize(int(size))
		f.changed = time.Now()
	}
	f.set(in)
	f.fill(&out.Attr, syscall.S_IFREG, len(f.data))
	return 0
}
