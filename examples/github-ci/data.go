package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockWait is how long what a killed github-ci left may take to end.
const lockWait = 15 * time.Second

// data is the folder of -data: work areas and logs, of one process at a time.
type data struct {
	dir  string
	lock *os.File
}

// openData makes the folder and locks it until close, or until the process and
// the supervisors of its commands have ended, however they do: what is in it is
// then nobody else's.
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
		if time.Since(began) > lockWait {
			_ = d.lock.Close()
			return data{}, fmt.Errorf("%s: is used by another github-ci, or by what one that was killed has left", abs)
		}
	}
	return d, nil
}

// close gives the folder free.
func (d data) close() { _ = d.lock.Close() }

func (d data) logs() string { return filepath.Join(d.dir, "logs") }

func (d data) work() string { return filepath.Join(d.dir, "work") }

// admit lets other users pass through to their work area, and read nothing.
func (d data) admit() error {
	return errors.Join(os.Chmod(d.dir, 0o711), os.Chmod(d.work(), 0o711))
}

// clean removes what builds left that were cut off, before another one runs.
func (d data) clean() error {
	areas, err := os.ReadDir(d.work())
	for _, a := range areas {
		err = errors.Join(err, d.areaIn(filepath.Join(d.work(), a.Name())).clean())
	}
	return err
}

// forget removes the areas that were not used since.
func (d data) forget(before time.Time) error {
	areas, err := os.ReadDir(d.work())
	for _, a := range areas {
		info, statErr := a.Info()
		if statErr == nil && info.ModTime().Before(before) {
			err = errors.Join(err, removeTree(filepath.Join(d.work(), a.Name())))
		}
	}
	return err
}
