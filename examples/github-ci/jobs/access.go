package jobs

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
)

// accessScript fails unless the user that runs it can reach the first path and cannot
// read the others.
const accessScript = `test -x "$0" || { echo "cannot reach $0: the folders above it need the execute permission for others"; exit 1; }
for file; do ! test -r "$file" || { echo "can read $file: only this program may read it"; exit 1; }; done`

// CheckUsers gives the users access to their Areas, and checks as each of them that it can
// reach them, and that it cannot read the private files and folders: the program may lack
// the privileges to become the user, and the files may be readable by everyone. It also
// returns an error if a process already runs as one of the users. Empty names in private
// are skipped. Call it before the first job; path is PATH.
func (d *Dir) CheckUsers(ctx context.Context, users *Users, path string, private ...string) error {
	if err := d.allowTraversal(); err != nil {
		return err
	}
	args := []string{"/bin/sh", "-c", accessScript, d.work()}
	for _, name := range private {
		if abs, err := filepath.Abs(name); err == nil && name != "" {
			args = append(args, abs)
		}
	}
	for range users.Len() {
		u := users.Take()
		users.Put(u)
		if pid := processOf(u); pid != "" {
			return fmt.Errorf("process %[2]s runs as %[1]s, and the first job would kill it: each job needs its own user", u.name, pid)
		}
		var output bytes.Buffer
		err := d.Run(ctx, Command{User: u, Args: args, Dir: "/", Env: []string{"PATH=" + path}, Output: &output})
		if err != nil {
			return fmt.Errorf("%s: %w: %s", u.name, err, bytes.TrimSpace(output.Bytes()))
		}
	}
	return nil
}
