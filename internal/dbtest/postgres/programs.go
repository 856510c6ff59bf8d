package postgres

import (
	"os/exec"
	"path/filepath"
	"slices"
)

// programs returns the folder of the newest PostgreSQL that is installed.
func programs() (string, error) {
	var found []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin/postgres",
		"/usr/local/opt/postgresql*/bin/postgres",
		"/opt/homebrew/opt/postgresql*/bin/postgres",
	} {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		found = append(found, matches...)
	}
	if path, err := exec.LookPath("postgres"); err == nil && len(found) == 0 {
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return "", err // initdb is beside the program, not beside a link
		}
		found = append(found, path)
	}
	if len(found) == 0 {
		return "", ErrNotInstalled
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1]), nil
}

// Installed returns [ErrNotInstalled] if PostgreSQL is not installed.
func Installed() error {
	_, err := programs()
	return err
}
