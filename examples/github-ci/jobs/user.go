package jobs

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// A User is a user that commands run as. When a command ends, all processes of its user
// are killed, so nothing else may run as that user. The zero value is this program's own
// user.
type User struct {
	name   string // as given to LookupUsers; not set in a supervisor
	uid    uint32
	gid    uint32
	groups []uint32 // supplementary groups
}

func (u User) isSelf() bool { return u.uid == 0 }

// Users is a pool of users. Each job takes one and puts it back at its end, so that a user
// runs one job at a time and no job can access another one. It is safe for concurrent use.
type Users struct{ free chan User }

// LookupUsers returns a pool of the first n users in names, a list with commas of names
// or of uid:gid. If names is empty, the pool has this program's own user n times. It
// returns an error unless each user differs from the others, from root and from this
// program's own, and so do their groups: the group of a user gives it access to its Area.
func LookupUsers(names string, n int) (*Users, error) {
	list := make([]User, n)
	if names != "" {
		list = nil
		for name := range strings.SplitSeq(names, ",") {
			u, err := lookupUser(name)
			if err != nil {
				return nil, err
			}
			list = append(list, u)
		}
		if err := checkDistinct(list); err != nil {
			return nil, err
		}
	}
	all := &Users{make(chan User, min(n, len(list)))}
	for _, u := range list[:cap(all.free)] {
		all.free <- u
	}
	return all, nil
}

// Len returns the number of users in the pool, which is the number of jobs at a time.
func (u *Users) Len() int { return cap(u.free) }

// Take takes a user out of the pool. It waits until there is one.
func (u *Users) Take() User { return <-u.free }

// Put puts back a user that was taken.
func (u *Users) Put(one User) { u.free <- one }

// checkDistinct returns an error unless each user has an id of its own, and a group that
// no other user is in.
func checkDistinct(list []User) error {
	if !usersSupported {
		return errors.New("only supported on Linux")
	}
	users, groups := map[uint32]string{uint32(os.Geteuid()): "this program"}, map[uint32]string{uint32(os.Getegid()): "this program"}
	users[0], groups[0] = "root", "root"
	for _, u := range list {
		if other, taken := users[u.uid]; taken {
			return fmt.Errorf("%s has the same user as %s: each job needs its own", u.name, other)
		}
		if other, taken := groups[u.gid]; taken {
			return fmt.Errorf("%s has the same group as %s: each job needs its own", u.name, other)
		}
		users[u.uid], groups[u.gid] = u.name, u.name
	}
	for _, u := range list {
		for _, group := range u.groups {
			if other, taken := groups[group]; taken && group != u.gid {
				return fmt.Errorf("%s is in the group of %s", u.name, other)
			}
		}
	}
	return nil
}

// lookupUser returns the user with a name, or with the ids in the form that parseUser
// reads.
func lookupUser(name string) (u User, err error) {
	defer func() { u.name = name }()
	if strings.Contains(name, ":") {
		return parseUser(name)
	}
	found, err := user.Lookup(name)
	if err != nil {
		return u, err
	}
	groups, err := found.GroupIds()
	if err != nil {
		return u, err
	}
	return parseUser(strings.Join(append([]string{found.Uid, found.Gid}, groups...), ":"))
}

// parseUser parses the output of String: the ids of the user, its group, and its
// supplementary groups. It does not contain the name.
func parseUser(text string) (u User, err error) {
	if text == "" {
		return u, nil
	}
	var ids []uint32
	for part := range strings.SplitSeq(text, ":") {
		id, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return u, fmt.Errorf("%q: %w", text, err)
		}
		ids = append(ids, uint32(id))
	}
	if len(ids) < 2 {
		return u, fmt.Errorf("%q: want uid:gid", text)
	}
	return User{uid: ids[0], gid: ids[1], groups: ids[2:]}, nil
}

// String formats the ids of the user as an argument for a supervisor. It is empty for this
// program's own user.
func (u User) String() string {
	if u.isSelf() {
		return ""
	}
	text := fmt.Sprintf("%d:%d", u.uid, u.gid)
	for _, group := range u.groups {
		text += fmt.Sprintf(":%d", group)
	}
	return text
}

// sysProcAttr starts a process as this user, in a new process group.
func (u User) sysProcAttr() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if !u.isSelf() {
		attr.Credential = &syscall.Credential{Uid: u.uid, Gid: u.gid, Groups: u.groups}
	}
	return attr
}
