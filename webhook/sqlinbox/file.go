package sqlinbox

import (
	"context"
	"database/sql"
	"fmt"
	"os"
)

// fileOf returns the file that conn has open as its database, nil where there is
// none that others see under its name: another database, or a file system of the
// driver's own.
func (in *Inbox) fileOf(ctx context.Context, conn *sql.Conn) (path string, info os.FileInfo) {
	err := in.query(ctx, conn, "file", args{}, func(row *sql.Rows) error { return row.Scan(&path) })
	if err != nil || path == "" {
		return "", nil
	}
	info, err = os.Stat(path)
	if err != nil {
		return "", nil
	}
	return path, info
}

// checkFile fails when the file that p writes to is no longer the one under its
// name: it was moved or replaced, and what is written to it would be gone with
// this process.
func (p *pin) checkFile() error {
	if p.file == nil {
		return nil
	}
	now, err := os.Stat(p.path)
	if err != nil || !os.SameFile(now, p.file) {
		return fmt.Errorf("%w: the file %s was moved or replaced while it was open: restart the program", ErrNotDurable, p.path)
	}
	return nil
}
