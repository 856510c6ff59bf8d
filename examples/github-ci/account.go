package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// An account is a user that commands run as. When a command ends, all processes
// of its user are killed, so nothing else may run as that user. The zero value is
// the user of github-ci itself.
type account struct {
	name   string // as written in -as; not set in a supervisor
	uid    uint32
	gid    uint32
	groups []uint32 // supplementary groups
}

func (a account) isSelf() bool { return a.uid == 0 }

// accounts is the pool of users for builds. A build receives one and sends it
// back at its end, so each user runs one build at a time and no build can access
// another one that runs.
type accounts chan account

// newAccounts returns the first n users in names, the value of -as. If names is
// empty, it returns github-ci's own user n times.
func newAccounts(names string, n int) (accounts, error) {
	list := make([]account, n)
	if names != "" {
		list = nil
		for name := range strings.SplitSeq(names, ",") {
			a, err := lookupAccount(name)
			if err != nil {
				return nil, err
			}
			list = append(list, a)
		}
		if err := checkAccounts(list); err != nil {
			return nil, err
		}
	}
	all := make(accounts, min(n, len(list)))
	for _, a := range list[:cap(all)] {
		all <- a
	}
	return all, nil
}

// checkAccounts returns an error unless each account has a user of its own, and a
// group that no other account is in: the group gives a build access to its work
// area.
func checkAccounts(list []account) error {
	if !accountsSupported {
		return errors.New("only supported on Linux")
	}
	users, groups := map[uint32]string{uint32(os.Geteuid()): "github-ci"}, map[uint32]string{uint32(os.Getegid()): "github-ci"}
	users[0], groups[0] = "root", "root"
	for _, a := range list {
		if other, taken := users[a.uid]; taken {
			return fmt.Errorf("%s has the same user as %s: each build needs its own", a.name, other)
		}
		if other, taken := groups[a.gid]; taken {
			return fmt.Errorf("%s has the same group as %s: each build needs its own", a.name, other)
		}
		users[a.uid], groups[a.gid] = a.name, a.name
	}
	for _, a := range list {
		for _, group := range a.groups {
			if other, taken := groups[group]; taken && group != a.gid {
				return fmt.Errorf("%s is in the group of %s", a.name, other)
			}
		}
	}
	return nil
}

// accessScript fails unless the user that runs it can reach the first path and
// cannot read the others.
const accessScript = `test -x "$0" || { echo "cannot reach $0: the folders above it need the execute permission for others"; exit 1; }
for file; do ! test -r "$file" || { echo "can read $file: only github-ci may read it"; exit 1; }; done`

// check gives the users access to the work areas, and runs accessScript as each
// of them: github-ci may lack the privileges to become the user, and the private
// files may be readable by everyone. It returns an error if a process already
// runs as one of the users. Empty names in private are skipped.
func (all accounts) check(ctx context.Context, d data, path string, private ...string) error {
	if err := d.allowTraversal(); err != nil {
		return err
	}
	args := []string{"/bin/sh", "-c", accessScript, d.work(), d.logs()}
	for _, name := range private {
		if abs, err := filepath.Abs(name); err == nil && name != "" {
			args = append(args, abs)
		}
	}
	for range cap(all) {
		a := <-all
		all <- a
		if pid := processOf(a); pid != "" {
			return fmt.Errorf("process %[2]s runs as %[1]s, and the first build would kill it: each build needs its own user", a.name, pid)
		}
		var output bytes.Buffer
		err := command{user: a, args: args, dir: "/", env: []string{"PATH=" + path}, output: &output, lock: d.lock}.run(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w: %s", a.name, err, bytes.TrimSpace(output.Bytes()))
		}
	}
	return nil
}

// lookupAccount returns the account for a user name, or for ids in the form that
// parseAccount reads.
func lookupAccount(name string) (a account, err error) {
	defer func() { a.name = name }()
	if strings.Contains(name, ":") {
		return parseAccount(name)
	}
	found, err := user.Lookup(name)
	if err != nil {
		return a, err
	}
	groups, err := found.GroupIds()
	if err != nil {
		return a, err
	}
	return parseAccount(strings.Join(append([]string{found.Uid, found.Gid}, groups...), ":"))
}

// parseAccount parses the output of String: the ids of the user, its group, and
// its supplementary groups. It does not contain the name.
func parseAccount(text string) (a account, err error) {
	if text == "" {
		return a, nil
	}
	var ids []uint32
	for part := range strings.SplitSeq(text, ":") {
		id, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return a, fmt.Errorf("%q: %w", text, err)
		}
		ids = append(ids, uint32(id))
	}
	if len(ids) < 2 {
		return a, fmt.Errorf("%q: want uid:gid", text)
	}
	return account{uid: ids[0], gid: ids[1], groups: ids[2:]}, nil
}

// String formats the account as an argument for a supervisor.
func (a account) String() string {
	if a.isSelf() {
		return ""
	}
	text := fmt.Sprintf("%d:%d", a.uid, a.gid)
	for _, group := range a.groups {
		text += fmt.Sprintf(":%d", group)
	}
	return text
}

// sysProcAttr starts a process as this user, in a new process group.
func (a account) sysProcAttr() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if !a.isSelf() {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid, Groups: a.groups}
	}
	return attr
}
