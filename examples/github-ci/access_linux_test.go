package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// occupy starts a process that runs as a user. The process must survive the test.
func (r *rig) occupy(user testUser) {
	r.Helper()
	cmd := exec.Command("sleep", "1006")
	cmd.SysProcAttr = user.attr()
	if err := cmd.Start(); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			r.Fatalf("the process must still run: %v", err)
		}
		if err := cmd.Wait(); err == nil {
			r.Fatal("cmd.Wait() is nil, want an error")
		}
	})
}

func TestInvalidUsers(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(r *rig, users []testUser)
		want    string
	}{
		{"a token that everyone can read", func(r *rig, _ []testUser) {
			if err := os.Chmod(filepath.Join(r.dir, "token"), 0o644); err != nil {
				r.Fatal(err)
			}
		}, "/token: only this program may read it"},
		{"a folder that the user cannot reach", func(r *rig, _ []testUser) {
			if err := os.Chmod(r.dir, 0o700); err != nil {
				r.Fatal(err)
			}
		}, "/data/work: the folders above it need the execute permission for others"},
		{"no capability to become the user", func(r *rig, _ []testUser) { r.attr.AmbientCaps = nil }, "operation not permitted"},
		{"the program's own user", func(r *rig, users []testUser) { r.args[1] = users[0].name() }, " has the same user as this program"},
		{"the same user twice", func(r *rig, _ []testUser) { r.args[1] += "," + r.args[1] }, ": each job needs its own"},
		{"root", func(r *rig, _ []testUser) { r.args[1] = "0:0" }, "0:0 has the same user as root"},
		{"a user with another process", func(r *rig, users []testUser) { r.occupy(users[1]) }, ", and the first job would kill it: "},
		{"an invalid user", func(r *rig, _ []testUser) { r.args[1] = "nobody:x" }, `"nobody:x": `},
	} {
		t.Run(tt.name, func(t *testing.T) {
			users := testUsers(t, 2)
			if users == nil {
				return
			}
			r := newRig(t, "true")
			r.runAs(users[0], users[1])
			tt.prepare(r, users)
			cmd := r.command(append([]string{"-addr", "127.0.0.1:0", "-data", "data", "-url", "http://ci.example.com"}, r.args...)...)
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatal("err is nil, want an error")
			}
			if !strings.Contains(string(out), "github-ci: -as: ") {
				t.Fatalf("string(out) = %q, want it to contain \"github-ci: -as: \"", string(out))
			}
			if !strings.Contains(string(out), tt.want) {
				t.Fatalf("string(out) = %q, want it to contain %q", string(out), tt.want)
			}
		})
	}
}

func TestOtherUsersBuildCannotChangeNextFetch(t *testing.T) {
	users := testUsers(t, 2)
	if users == nil {
		return
	}
	r := newRig(t, tamperWithProxy(t)+"ls $g >$RUNS.d/listed; git --git-dir=$g config --get http.proxy >>$RUNS.d/proxy; true")
	r.runAs(users[0], users[1])
	r.buildTwice()
	if got := r.read(r.runs + ".d/proxy"); got != "" {
		t.Fatalf(`r.read(r.runs+".d/proxy") = %q, want empty`, got)
	}
	if got := r.read(r.runs + ".d/listed"); got != "" {
		t.Fatalf("the build can list %q", got)
	}
}
