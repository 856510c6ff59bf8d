package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// A testUser is a user and a group with this id.
type testUser int

func (u testUser) name() string { return fmt.Sprintf("%d:%d", int(u), int(u)) }

// attr starts a process as this user, in a new process group.
func (u testUser) attr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: &syscall.Credential{Uid: uint32(u), Gid: uint32(u)}}
}

var leaveOut = sync.OnceFunc(func() { fmt.Println("left out: builds as another user; to include them, run the tests as root") })

// taken counts the users that this process has assigned to tests.
var taken atomic.Int32

// testUsers returns n users, the first for the program and the rest for builds.
// All their processes are killed, so no other test on the machine uses the same
// ones. It returns nil if the test may not run processes as other users.
func testUsers(t *testing.T, n int) (all []testUser) {
	t.Helper()
	if os.Geteuid() != 0 {
		if got := os.Getenv("CI"); got != "" {
			t.Fatalf(`CI must run the tests as root: os.Getenv("CI") = %q, want empty`, got)
		}
		leaveOut()
		return nil
	}
	for range n {
		all = append(all, testUser(20000+os.Getpid()%200*200+int(taken.Add(1)%200)))
	}
	return all
}

// leaveRoot makes the program run as a user of its own if the test runs as root: as root
// it refuses to build as its own user.
func (r *rig) leaveRoot() {
	r.Helper()
	if os.Geteuid() == 0 {
		r.belongTo(testUsers(r.T, 1)[0])
	}
}

// belongTo makes the program run as a user, in a folder that belongs to it.
func (r *rig) belongTo(own testUser) {
	r.Helper()
	for _, dir := range []string{r.dir, filepath.Dir(r.dir)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			r.Fatal(err)
		}
	}
	if err := os.Lchown(r.dir, int(own), int(own)); err != nil {
		r.Fatal(err)
	}
	r.attr = own.attr()
}
