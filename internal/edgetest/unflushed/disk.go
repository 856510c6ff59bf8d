package unflushed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// ErrNotMounted is the error of Mount if FUSE is not available, as in many containers. It says
// how to get it.
var ErrNotMounted = errors.New("power loss on a file system of FUSE, which cannot be mounted; get it: apt-get install fuse3, in a container also --device /dev/fuse --cap-add SYS_ADMIN")

// A Disk is a mounted file system. It is safe for concurrent use.
//
// A process must not start a program in a folder of its own Disk: the start waits for the folder,
// and may keep the process from serving it.
type Disk struct {
	server  *fuse.Server
	root    *folder
	ignores atomic.Bool
}

// Mount mounts an empty file system on a folder, for all users if the process runs as root. The
// caller must call Unmount. If FUSE is not available, the error wraps [ErrNotMounted].
func Mount(dir string) (*Disk, error) {
	d := new(Disk)
	d.root = &folder{disk: d, attributes: newAttributes(context.Background(), 0o755)}
	d.root.uid, d.root.gid = uint32(os.Getuid()), uint32(os.Getgid())
	root := os.Getuid() == 0
	never := time.Duration(0)
	var err error
	d.server, err = fs.Mount(dir, d.root, &fs.Options{
		MountOptions:    fuse.MountOptions{AllowOther: root, DirectMount: root, FsName: "unflushed", Name: "unflushed"},
		EntryTimeout:    &never,
		AttrTimeout:     &never,
		NegativeTimeout: &never,
	})
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrNotMounted, err)
	}
	return d, nil
}

// Unmount ends the file system. No file may be open.
func (d *Disk) Unmount() error { return d.server.Unmount() }

// Flush flushes all files, as the kernel does by itself after a while.
func (d *Disk) Flush() { each(d.root.EmbeddedInode(), (*file).flush) }

// Cut makes each file what it was when it was flushed last.
func (d *Disk) Cut() { each(d.root.EmbeddedInode(), (*file).cut) }

// IgnoreFlushes makes the disk answer each fsync and fdatasync at once and keep nothing. [Disk.Flush]
// is not affected.
func (d *Disk) IgnoreFlushes() { d.ignores.Store(true) }

func (d *Disk) ignoresFlushes() bool { return d.ignores.Load() }

// each calls do for each file below an inode.
func each(in *fs.Inode, do func(*file)) {
	if f, ok := in.Operations().(*file); ok {
		do(f)
	}
	for _, child := range in.Children() {
		each(child, do)
	}
}
