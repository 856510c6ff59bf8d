package powerloss

import (
	"maps"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

var _ vfs.VFS = (*Disk)(nil)

// Open implements [vfs.VFS]. Temporary files are not on the disk.
func (d *Disk) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	const durable = vfs.OPEN_MAIN_DB | vfs.OPEN_MAIN_JOURNAL | vfs.OPEN_SUPER_JOURNAL | vfs.OPEN_WAL
	if name == "" || flags&durable == 0 {
		return &vfsutil.SliceFile{}, flags, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.visible[name]
	if f == nil {
		if flags&vfs.OPEN_CREATE == 0 {
			return nil, flags, sqlite3.CANTOPEN
		}
		f = new(file)
		d.visible[name] = f
	}
	h := &handle{disk: d, name: name, file: f}
	if flags&vfs.OPEN_MAIN_DB != 0 {
		h.shared = vfs.NewSharedMemory(d.sharedFile(name), flags)
	}
	return h, flags, nil
}

// Delete implements [vfs.VFS].
func (d *Disk) Delete(name string, syncFolder bool) error {
	d.watch(Change{Op: "delete", Name: name})
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.visible[name] == nil {
		return sqlite3.IOERR_DELETE_NOENT
	}
	delete(d.visible, name)
	if syncFolder && !d.ignoresSync(name) {
		d.durable = maps.Clone(d.visible)
	}
	return nil
}

// Access implements [vfs.VFS].
func (d *Disk) Access(name string, _ vfs.AccessFlag) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.visible[name] != nil, nil
}

// FullPathname implements [vfs.VFS]: there is one folder.
func (d *Disk) FullPathname(name string) (string, error) { return name, nil }

func (d *Disk) ignoresSync(name string) bool { return d.IgnoreSync != nil && d.IgnoreSync(name) }
