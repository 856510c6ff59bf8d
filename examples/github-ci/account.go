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

// An account is a user whom commands run as, and nothing else does while they
// run: it is all killed with them. The zero value is our own user.
type account struct {
	name   string // as -as has it; no supervisor needs it
	uid    uint32
	gid    uint32
	groups []uint32 // more of them
}

func (a account) isOurs() bool { return a.uid == 0 }

// accounts are the users that builds take and give back, so that each has one
// build at a time, and no build can reach into another that runs.
type accounts chan account

// newAccounts returns those that -as names, at most n; without names, our own n
// times.
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

// checkAccounts wants a user for each, and a group that none of the others is
// in: the group is what lets a build into its work area.
func checkAccounts(list []account) error {
	if !accountsWork {
		return errors.New("is for Linux")
	}
	users, groups := map[uint32]string{uint32(os.Geteuid()): "github-ci"}, map[uint32]string{uint32(os.Getegid()): "github-ci"}
	users[0], groups[0] = "root", "root"
	for _, a := range list {
		if other, taken := users[a.uid]; taken {
			return fmt.Errorf("%s is the user of %s too: a build needs one for itself", a.name, other)
		}
		if other, taken := groups[a.gid]; taken {
			return fmt.Errorf("%s has the group of %s: a build needs one for itself", a.name, other)
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

// look is what each user tries: to reach the first path, which it must, and to
// read the others, which it must not.
const look = `test -x "$0" || { echo "cannot get to $0: what is above it must let others through"; exit 1; }
for file; do ! test -r "$file" || { echo "can read $file: only github-ci may"; exit 1; }; done`

// check lets the users through to the work areas, and has each of them try what
// it can reach: our rights may not suffice, and files may be open to all. It
// refuses users whom something runs as. Empty names are left out.
func (all accounts) check(ctx context.Context, d data, path string, private ...string) error {
	if err := d.admit(); err != nil {
		return err
	}
	args := []string{"/bin/sh", "-c", look, d.work(), d.logs()}
	for _, name := range private {
		if abs, err := filepath.Abs(name); err == nil && name != "" {
			args = append(args, abs)
		}
	}
	for range cap(all) {
		a := <-all
		all <- a
		if pid := processOf(a); pid != "" {
			return fmt.Errorf("%s is the user of process %s, which the first build would kill: a build needs one for itself", a.name, pid)
		}
		var said bytes.Buffer
		err := command{who: a, args: args, dir: "/", env: []string{"PATH=" + path}, output: &said, lock: d.lock}.run(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w: %s", a.name, err, bytes.TrimSpace(said.Bytes()))
		}
	}
	return nil
}

// lookupAccount takes a user's name, or the ids of what has none.
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

// parseAccount reads what String writes: ids of the user, its group, and more
// groups. The name is not in it.
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
		return a, fmt.Errorf("%q: a user and a group are wanted", text)
	}
	return account{uid: ids[0], gid: ids[1], groups: ids[2:]}, nil
}

// String is how a supervisor is told.
func (a account) String() string {
	if a.isOurs() {
		return ""
	}
	text := fmt.Sprintf("%d:%d", a.uid, a.gid)
	for _, group := range a.groups {
		text += fmt.Sprintf(":%d", group)
	}
	return text
}

// start is how a process is started as this user, in a group of its own.
func (a account) start() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if !a.isOurs() {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid, Groups: a.groups}
	}
	return attr
}
