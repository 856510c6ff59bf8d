package jobs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// An Area is the folder of one job. The program owns the folder itself and can put files
// there that the job may read. The job's user owns the folders Src, Home and Tmp. If that
// is another user, the group of the Area gives it access while the job runs.
type Area struct {
	Path string
	Src  string // what the job works on
	Home string // HOME
	Tmp  string // TMPDIR: what lies in /tmp stays there after the job
}

// Area creates an empty Area. The name must be a valid file name; an Area of the same name
// is removed first.
func (d *Dir) Area(name string) (Area, error) {
	path := filepath.Join(d.work(), name)
	a := Area{path, filepath.Join(path, "src"), filepath.Join(path, "home"), filepath.Join(path, "tmp")}
	if err := removeTree(path); err != nil {
		return a, err
	}
	for _, dir := range []string{path, a.Src, a.Home, a.Tmp} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return a, err
		}
	}
	return a, os.Chmod(a.Src, 0o755) // commands of another user begin there, and this program must reach it
}

// GiveTo makes the user the owner of Src, Home and Tmp, with what the program has put there,
// and gives it access to the Area. Call it before the first command of the job.
func (a Area) GiveTo(user User) error {
	if user.isSelf() {
		return nil
	}
	var all []string
	for _, dir := range []string{a.Src, a.Home, a.Tmp} {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			all = append(all, path)
			return err
		})
		if err != nil {
			return err
		}
	}
	for _, path := range slices.Backward(all) { // folders last: after that the program may not read them
		if err := os.Lchown(path, int(user.uid), int(user.gid)); err != nil {
			return err
		}
	}
	return errors.Join(os.Lchown(a.Path, -1, int(user.gid)), os.Chmod(a.Path, 0o710))
}

// Close makes the Area accessible to this program only, without removing it.
func (a Area) Close() error { return os.Chmod(a.Path, 0o700) }

// Remove removes the Area. Call it when no command of the job runs.
func (a Area) Remove() error { return removeTree(a.Path) }

// removeTree removes dir, even if a job removed its own write permission, as the cache of
// Go modules does, and even if it belongs to another user. Then it takes ownership of the
// folders, from the top down, so that nobody can replace what is below. It does not follow
// symbolic links.
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
