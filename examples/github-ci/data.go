package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockTimeout is how long openData waits for the remaining processes of a killed
// github-ci to end.
const lockTimeout = 15 * time.Second

// data is the folder of -data, with work areas and logs. One process at a time
// uses it.
type data struct {
	dir  string
	lock *os.File
}

// openData creates the folder and locks it for this process alone. The lock is
// released by close, or when this process and the supervisors of its commands
// have ended, for whatever reason.
func openData(dir string) (data, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return data{}, err
	}
	d := data{dir: abs}
	for _, folder := range []string{abs, d.work(), d.logs()} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return data{}, err
		}
	}
	if d.lock, err = os.OpenFile(filepath.Join(abs, "lock"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return data{}, err
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); syscall.Flock(int(d.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil; <-tick.C {
		if time.Since(began) > lockTimeout {
			_ = d.lock.Close()
			return data{}, fmt.Errorf("%s: in use by another github-ci, or by processes that a killed one left behind", abs)
		}
	}
	return d, nil
}

// close unlocks the folder.
func (d data) close() { _ = d.lock.Close() }

func (d data) logs() string { return filepath.Join(d.dir, "logs") }

func (d data) work() string { return filepath.Join(d.dir, "work") }

// allowTraversal lets other users reach their work area, but read nothing.
func (d data) allowTraversal() error {
	return errors.Join(os.Chmod(d.dir, 0o711), os.Chmod(d.work(), 0o711))
}

// clean removes the files of interrupted builds. Call it before the first build.
func (d data) clean() error {
	areas, err := os.ReadDir(d.work())
	for _, a := range areas {
		err = errors.Join(err, d.areaIn(filepath.Join(d.work(), a.Name())).clean())
	}
	return err
}

// removeUnused removes the work areas that were last used before the given time.
func (d data) removeUnused(before time.Time) error {
	areas, err := os.ReadDir(d.work())
	for _, a := range areas {
		info, statErr := a.Info()
		if statErr == nil && info.ModTime().Before(before) {
			err = errors.Join(err, removeTree(filepath.Join(d.work(), a.Name())))
		}
	}
	return err
}
