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

// A workArea is the folder in which one branch or tag is built. Its name is a
// digest, so no external name is ever part of a path. Github-ci owns the folder
// and the fetched repository; the build's user owns the checkout and the home. If
// that is another user, the group of the folder gives it access while the build
// runs.
type workArea struct {
	dir        string
	git        string // bare repository to fetch into, kept between builds
	src        string // the checkout of one build
	home       string // HOME of one build
	incomplete string // file that exists until git has succeeded
	lock       *os.File
}

func (d data) area(repository, ref string) workArea {
	sum := sha256.Sum256([]byte(repository + "\x00" + ref))
	return d.areaIn(filepath.Join(d.work(), hex.EncodeToString(sum[:16])))
}

func (d data) areaIn(dir string) workArea {
	in := func(name string) string { return filepath.Join(dir, name) }
	return workArea{dir, in("git"), in("src"), in("home"), in("busy"), d.lock}
}

// prepare prepares the area for one build, with an empty home and no checkout. It
// keeps the fetched repository unless git failed the last time: git may have been
// killed and have left an incomplete repository or a lock.
func (a workArea) prepare() error {
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return err
	}
	old := a.clean
	if _, err := os.Lstat(a.incomplete); err == nil {
		old = a.remove
	}
	if err := old(); err != nil {
		return err
	}
	if err := os.MkdirAll(a.home, 0o700); err != nil {
		return err
	}
	return os.WriteFile(a.incomplete, nil, 0o600)
}

// setComplete records that the fetched repository is intact.
func (a workArea) setComplete() error { return os.Remove(a.incomplete) }

// chown makes the build's user the owner of the prepared checkout and of the
// home. No process of a build may use the area yet.
func (a workArea) chown(user account) error {
	if user.isSelf() {
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
	for _, path := range slices.Backward(all) { // folders last: after that github-ci may not read them
		if err := os.Lchown(path, int(user.uid), int(user.gid)); err != nil {
			return err
		}
	}
	return errors.Join(os.Lchown(a.dir, -1, int(user.gid)), os.Chmod(a.dir, 0o710))
}

// revokeAccess makes the area accessible to github-ci only.
func (a workArea) revokeAccess() error { return os.Chmod(a.dir, 0o700) }

// clean removes the files of one build and keeps the fetched repository.
func (a workArea) clean() error {
	return errors.Join(a.revokeAccess(), removeTree(a.src), removeTree(a.home))
}

// remove removes the area.
func (a workArea) remove() error { return removeTree(a.dir) }

// removeTree removes dir, even if a build removed its own write permission, as
// the cache of Go modules does, and even if it belongs to another user. Then it
// takes ownership of the folders, from the top down, so that nobody can replace
// what is below. It does not follow symbolic links.
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
