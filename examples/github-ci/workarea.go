package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// A workArea is where one branch or tag is built. It is named by a digest, so
// that no name from outside is ever part of a path. The folder and what was
// fetched are ours; the checkout and the home are the build's, and where that is
// another user, the folder's group lets it in while it runs.
type workArea struct {
	dir  string
	git  string // what was fetched, kept from build to build
	src  string // the checkout of one build
	home string // HOME of one build
	busy string // a file that is there until git has ended well
	lock *os.File
}

func (d data) area(repository, ref string) workArea {
	sum := sha256.Sum256([]byte(repository + "\x00" + ref))
	return d.areaIn(filepath.Join(d.work(), hex.EncodeToString(sum[:16])))
}

func (d data) areaIn(dir string) workArea {
	in := func(name string) string { return filepath.Join(dir, name) }
	return workArea{dir, in("git"), in("src"), in("home"), in("busy"), d.lock}
}

// fresh makes a place for one build: an empty home, and no checkout. What was
// fetched is kept, unless git failed the last time: it may have been killed, and
// have left half a repository, or a lock.
func (a workArea) fresh() error {
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return err
	}
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

// fetched says that git left what it fetched in order.
func (a workArea) fetched() error { return os.Remove(a.busy) }

// handOver gives a checkout that we have begun, and the home, to the user whom
// the build runs as. No process of a build is in there yet.
func (a workArea) handOver(who account) error {
	if who.isOurs() {
		return nil
	}
	all := []string{a.home}
	err := filepath.WalkDir(a.src, func(path string, _ fs.DirEntry, err error) error {
		all = append(all, path)
		return err
	})
	if err != nil {
		return err
	}
	for _, path := range slices.Backward(all) { // folders last: afterwards we may not look into them
		if err := os.Lchown(path, int(who.uid), int(who.gid)); err != nil {
			return err
		}
	}
	return errors.Join(os.Lchown(a.dir, -1, int(who.gid)), os.Chmod(a.dir, 0o710))
}

// shut lets nobody in but us.
func (a workArea) shut() error { return os.Chmod(a.dir, 0o700) }

// clean removes what one build made, and leaves what was fetched.
func (a workArea) clean() error {
	return errors.Join(a.shut(), removeTree(a.src), removeTree(a.home))
}

// remove removes all of it.
func (a workArea) remove() error { return removeTree(a.dir) }

// removeTree removes dir also where a build took away its own right to, as the
// cache of Go modules does, and where it is another user's: then it takes back
// the folders, from the top, so that nobody can exchange what is below. It
// follows no symbolic links.
func removeTree(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			return errors.Join(os.Lchown(path, os.Geteuid(), os.Getegid()), os.Chmod(path, 0o700))
		}
		return err
	})
	return os.RemoveAll(dir)
}
