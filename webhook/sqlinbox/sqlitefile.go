package sqlinbox

import (
	"context"
	"database/sql"
	"fmt"
	"os"
)

// A file is what a connection has open as its database. Nil stands for none that
// others see under its name: another database, or a file system of the driver's
// own.
type file struct {
	path string
	info os.FileInfo
}

// fileOf returns the file of the connection of s, which must not have been replaced
// since that was opened.
func (t *tables) fileOf(ctx context.Context, s session) *file {
	f := new(file)
	err := t.query(ctx, s, "file", args{}, func(row *sql.Rows) error { return row.Scan(&f.path) })
	if err != nil || f.path == "" {
		return nil
	}
	if f.info, err = os.Stat(f.path); err != nil {
		return nil
	}
	return f
}

// check fails when f is no longer the file under its name: it was moved or
// replaced, and what is written to it would be gone with this process.
func (f *file) check() error {
	if f == nil {
		return nil
	}
	now, err := os.Stat(f.path)
	if err != nil || !os.SameFile(now, f.info) {
		return fmt.Errorf("%w: the file %s was moved or replaced while it was open: restart the program", ErrNotDurable, f.path)
	}
	return nil
}
