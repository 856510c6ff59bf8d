package jobs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockTimeout is how long Open waits for the remaining processes of a killed program to
// end.
const lockTimeout = 15 * time.Second

// A Dir is a folder with the Areas of jobs and further folders of the program. One process
// at a time uses it. It is safe for concurrent use.
type Dir struct {
	path string
	lock *os.File
}

// Open creates the folder, for this program's user alone, and locks it for this process.
// It is unlocked by Close, or when this process and all supervisors of its commands have
// ended, for whatever reason. The Areas of an earlier process are left; see RemoveAreas.
func Open(path string) (*Dir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	d := &Dir{path: abs}
	if err := os.MkdirAll(d.work(), 0o700); err != nil {
		return nil, err
	}
	if d.lock, err = os.OpenFile(filepath.Join(abs, "lock"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, err
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); syscall.Flock(int(d.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil; <-tick.C {
		if time.Since(began) > lockTimeout {
			_ = d.lock.Close()
			return nil, fmt.Errorf("%s: in use by another process of this program, or by commands that a killed one left behind", abs)
		}
	}
	return d, nil
}

// Close unlocks the folder. Call it when no command runs.
func (d *Dir) Close() { _ = d.lock.Close() }

// Path returns the absolute path of the folder.
func (d *Dir) Path() string { return d.path }

// Folder creates a folder of the program in the Dir, which commands of other users cannot
// read, and returns its path.
func (d *Dir) Folder(name string) (string, error) {
	path := filepath.Join(d.path, name)
	return path, os.MkdirAll(path, 0o700)
}

func (d *Dir) work() string { return filepath.Join(d.path, "work") }

// allowTraversal lets other users reach their Area, but read nothing.
func (d *Dir) allowTraversal() error {
	return errors.Join(os.Chmod(d.path, 0o711), os.Chmod(d.work(), 0o711))
}

// RemoveAreas removes the Areas of an earlier process. Call it before the first job.
func (d *Dir) RemoveAreas() error {
	areas, err := os.ReadDir(d.work())
	for _, a := range areas {
		err = errors.Join(err, removeTree(filepath.Join(d.work(), a.Name())))
	}
	return err
}
