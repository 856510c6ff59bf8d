package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

var leaveOutHidden = sync.OnceFunc(func() { fmt.Println("left out: /proc with hidepid; to include it, run the tests with CAP_SYS_ADMIN") })

// mountHidden mounts a /proc in which each user sees only its own processes.
const mountHidden = "mount -t proc -o hidepid=2 proc /proc"

// hide makes the program run with a /proc that shows each user only its own
// processes. Call it after runAs. It returns false if the test may not mount one.
func (r *rig) hide() bool {
	r.Helper()
	private := &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	try := exec.Command("/bin/sh", "-c", mountHidden)
	try.SysProcAttr = private
	if out, err := try.CombinedOutput(); err != nil {
		if got := os.Getenv("CI"); got != "" {
			r.Fatalf(`%v: %s: os.Getenv("CI") = %q, want empty`, err, out, got)
		}
		leaveOutHidden()
		return false
	}
	own := r.attr.Credential
	caps := ""
	if len(r.attr.AmbientCaps) > 0 {
		caps = "--inh-caps=-all,+chown,+kill,+setgid,+setuid --ambient-caps=-all,+chown,+kill,+setgid,+setuid"
	}
	r.via = []string{"/bin/sh", "-c", fmt.Sprintf(`%s && exec setpriv --reuid=%d --regid=%d --clear-groups %s "$0" "$@"`, mountHidden, own.Uid, own.Gid, caps)}
	r.attr = private
	return true
}

// processesOf returns the running processes of a user.
func processesOf(t *testing.T, user testUser) (all []string) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err == nil && info.Sys().(*syscall.Stat_t).Uid == uint32(user) && alive(t, filepath.Base(dir)) {
			all = append(all, dir)
		}
	}
	return all
}

// supervisorVisible is a script that prints whether /proc shows it its supervisor.
const supervisorVisible = "if [ -e /proc/$PPID ]; then echo seen; else echo unseen; fi\n"

func TestHiddenProcessesAreKilled(t *testing.T) {
	for _, tt := range []struct {
		name   string
		builds int
		says   string
	}{
		{"another user", 1, "unseen\n"},
		{"the program's own user", 0, "seen\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			users := testUsers(t, 2)
			if users == nil {
				return
			}
			r := newRig(t, strings.ReplaceAll(leaveProcesses, "$RUNS", "$RUNS.d/left")+supervisorVisible+"sleep 1005", "    timeout: 2s\n")
			r.runAs(users[0], users[1:1+tt.builds]...)
			r.runs += ".d/left"
			if !r.hide() {
				return
			}
			sha := r.repo.commit("main", "one")
			r.start()
			r.push(pushed{after: sha})
			status, path := r.untilStatus(sha, "failure")
			if !strings.Contains(status.Description, "exceeded the time limit of 2s") {
				t.Fatalf("status.Description = %q, want it to contain \"exceeded the time limit of 2s\"", status.Description)
			}
			if got := r.page(path + "/log"); !strings.Contains(got, "\n"+tt.says) {
				t.Fatalf(`r.page(path+"/log") = %q, want it to contain %q`, got, "\n"+tt.says)
			}
			r.noneAlive(r.pids())
			r.signalAndWait(syscall.SIGTERM)
		})
	}
}

// forkScript is a script with ten chains of processes, each of which starts the next
// one and ends, as long as $RUNS.d/go exists and for at most a few minutes.
const forkScript = `cat >$RUNS.d/relay <<'END'
[ -e $RUNS.d/go ] && [ $1 -lt 100000 ] && setsid sh $RUNS.d/relay $(($1 + 1)) &
END
for n in 1 2 3 4 5 6 7 8 9 10; do sh $RUNS.d/relay 1; done
`

// killerScript is a script with a process that kills every process it may, as long as
// $RUNS.d/go exists.
const killerScript = `setsid sh -c 'while [ -e $RUNS.d/go ]; do kill -9 -1; done' &
wait
`

func TestOtherUsersBuildCannotEscapeKill(t *testing.T) {
	for _, tt := range []struct {
		name, command, state string
		hide                 bool
	}{
		{"forking all the time", forkScript, "success", false},
		{"forking all the time, hidden", forkScript, "success", true},
		{"killing its killer", killerScript, "failure", false},
		{"killing its killer, hidden", killerScript, "failure", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			users := testUsers(t, 2)
			if users == nil {
				return
			}
			r := newRig(t, tt.command)
			r.runAs(users[0], users[1])
			if tt.hide && !r.hide() {
				return
			}
			r.write("runs.d/go", "")
			t.Cleanup(func() { _ = os.Remove(filepath.Join(r.dir, "runs.d", "go")) })
			sha := r.repo.commit("main", "one")
			r.start()
			r.push(pushed{after: sha})
			r.untilStatus(sha, tt.state)
			if got := processesOf(t, users[1]); len(got) != 0 {
				t.Fatalf("processesOf(users[1]) = %v, want empty", got)
			}
			r.signalAndWait(syscall.SIGTERM)
		})
	}
}
