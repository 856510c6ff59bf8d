package unflushed

import (
	"context"
	"sync"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// A folder holds files and folders, which its Inode keeps.
type folder struct {
	fs.Inode
	disk *Disk

	mu sync.Mutex
	attributes
}

var (
	_ fs.NodeCreater   = (*folder)(nil)
	_ fs.NodeMkdirer   = (*folder)(nil)
	_ fs.NodeUnlinker  = (*folder)(nil)
	_ fs.NodeRmdirer   = (*folder)(nil)
	_ fs.NodeRenamer   = (*folder)(nil)
	_ fs.NodeFsyncer   = (*folder)(nil)
	_ fs.NodeGetattrer = (*folder)(nil)
	_ fs.NodeSetattrer = (*folder)(nil)
	_ fs.NodeStatfser  = (*folder)(nil)
)

func (d *folder) Create(ctx context.Context, _ string, _, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	f := &file{disk: d.disk, attributes: newAttributes(ctx, mode)}
	f.fill(&out.Attr, syscall.S_IFREG, 0)
	return d.NewPersistentInode(ctx, f, fs.StableAttr{Mode: syscall.S_IFREG}), nil, fuse.FOPEN_DIRECT_IO, 0
}

func (d *folder) Mkdir(ctx context.Context, _ string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	child := &folder{disk: d.disk, attributes: newAttributes(ctx, mode)}
	child.fill(&out.Attr, syscall.S_IFDIR, 0)
	return d.NewPersistentInode(ctx, child, fs.StableAttr{Mode: syscall.S_IFDIR}), 0
}

// Unlink implements [fs.NodeUnlinker]. The Inode then forgets the file.
func (d *folder) Unlink(context.Context, string) syscall.Errno { return 0 }

// Rmdir implements [fs.NodeRmdirer].
func (d *folder) Rmdir(_ context.Context, name string) syscall.Errno {
	if child := d.GetChild(name); child != nil && len(child.Children()) > 0 {
		return syscall.ENOTEMPTY
	}
	return 0
}

// Rename implements [fs.NodeRenamer]. The Inode then moves the child.
func (d *folder) Rename(_ context.Context, _ string, to fs.InodeEmbedder, name string, flags uint32) syscall.Errno {
	if flags != 0 {
		return syscall.EINVAL
	}
	if child := to.EmbeddedInode().GetChild(name); child != nil && len(child.Children()) > 0 {
		return syscall.ENOTEMPTY
	}
	return 0
}

// Fsync implements [fs.NodeFsyncer]: what is done to a folder remains without it.
func (d *folder) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno { return 0 }

func (d *folder) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fill(&out.Attr, syscall.S_IFDIR, 0)
	return 0
}

func (d *folder) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.set(in)
	d.fill(&out.Attr, syscall.S_IFDIR, 0)
	return 0
}

// Statfs implements [fs.NodeStatfser]. RabbitMQ takes no messages if little is free.
func (d *folder) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	const block = 4096
	out.Bsize, out.Frsize, out.NameLen = block, block, 255
	out.Blocks = 8 << 30 / block
	out.Bfree, out.Bavail = out.Blocks, out.Blocks
	return 0
}
