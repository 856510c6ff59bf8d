package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// A workArea is where one branch or tag is built. It is named by a digest, so
// that no name from outside is ever part of a path.
type workArea struct {
	dir  string
	git  string // what was fetched, kept from build to build
	src  string // the checkout of one build
	home string // HOME of one build
	busy string // a file that is there while git works
}

// data is the folder of -data: work areas and logs, of one process at a time.
type data struct {
	dir  string
	lock *os.File
}

// openData makes the folder and locks it until close, or until the process ends,
// however it does: what is in it is then nobody else's.
func openData(dir string) (data, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return data{}, err
	}
	for _, sub := range []string{"work", "logs"} {
		if err := os.MkdirAll(filepath.Join(abs, sub), 0o700); err != nil {
			return data{}, err
		}
	}
	lock, err := os.OpenFile(filepath.Join(abs, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return data{}, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		return data{}, fmt.Errorf("%s: is used by another github-ci", abs)
	}
	return data{abs, lock}, nil
}

// close gives the folder free.
func (d data) close() { _ = d.lock.Close() }

func (d data) logs() string { return filepath.Join(d.dir, "logs") }

func (d data) area(repository, ref string) workArea {
	sum := sha256.Sum256([]byte(repository + "\x00" + ref))
	dir := filepath.Join(d.dir, "work", hex.EncodeToString(sum[:16]))
	return workArea{dir, filepath.Join(dir, "git"), filepath.Join(dir, "src"), filepath.Join(dir, "home"), filepath.Join(dir, "busy")}
}

// fresh makes a place for one build: an empty home, and no checkout. What was
// fetched is kept, unless git was killed at it and may have left half a
// repository.
func (a workArea) fresh() error {
	old := a.clean
	if _, err := os.Lstat(a.busy); err == nil {
		old = a.remove
	}
	if err := old(); err != nil {
		return err
	}
	if err := os.MkdirAll(a.home, 0o700); err != nil {
		return err
	}
	return os.WriteFile(a.busy, nil, 0o600)
}

// fetched says that git has ended by itself.
func (a workArea) fetched() error { return os.Remove(a.busy) }

// clean removes what one build made, and leaves what was fetched.
func (a workArea) clean() error {
	return errors.Join(removeTree(a.src), removeTree(a.home))
}

// remove removes all of it.
func (a workArea) remove() error { return removeTree(a.dir) }

// forget removes the areas that were not used since.
func (d data) forget(before time.Time) error {
	areas, err := os.ReadDir(filepath.Join(d.dir, "work"))
	for _, a := range areas {
		info, statErr := a.Info()
		if statErr == nil && info.ModTime().Before(before) {
			err = errors.Join(err, removeTree(filepath.Join(d.dir, "work", a.Name())))
		}
	}
	return err
}

// removeTree removes dir also where a build took away its own right to, as the
// cache of Go modules does. It follows no symbolic links.
func removeTree(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if e != nil && e.IsDir() {
			_ = os.Chmod(path, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}
