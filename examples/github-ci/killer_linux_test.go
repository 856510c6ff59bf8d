package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

var leaveOutHidden = sync.OnceFunc(func() { fmt.Println("left out: /proc with hidepid; get it: run the tests with CAP_SYS_ADMIN") })

// mountHidden has what a shell runs next see, in /proc, only its own processes.
const mountHidden = "mount -t proc -o hidepid=2 proc /proc"

// hide has the program, which runAs has prepared, run where /proc shows each user
// its own processes alone. False where we may not do that.
func (r *rig) hide() bool {
	r.Helper()
	private := &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	try := exec.Command("/bin/sh", "-c", mountHidden)
	try.SysProcAttr = private
	if out, err := try.CombinedOutput(); err != nil {
		require.Empty(r, os.Getenv("CI"), "%v: %s", err, out)
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

// processesOf returns the processes of a user that run.
func processesOf(t *testing.T, who account) (all []string) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err == nil && info.Sys().(*syscall.Stat_t).Uid == who.uid && alive(t, filepath.Base(dir)) {
			all = append(all, dir)
		}
	}
	return all
}

// seen has a command tell whether it sees its supervisor.
const seen = "if [ -e /proc/$PPID ]; then echo seen; else echo unseen; fi\n"

func TestWhatCannotBeSeenIsKilled(t *testing.T) {
	for _, tt := range []struct {
		name   string
		builds int
		says   string
	}{
		{"as another user", 1, "unseen\n"},
		{"as the program's own", 0, "seen\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			users := others(t, 2)
			if users == nil {
				return
			}
			r := newRig(t, strings.ReplaceAll(leftovers, "$RUNS", "$RUNS.d/left")+seen+"sleep 1005", "    timeout: 2s\n")
			r.runAs(users[0], users[1:1+tt.builds]...)
			r.runs += ".d/left"
			if !r.hide() {
				return
			}
			sha := r.repo.commit("main", "one")
			r.start()
			r.push(pushed{after: sha})
			status, path := r.untilStatus(sha, "failure")
			require.Contains(t, status.Description, "over the time limit of 2s")
			require.Contains(t, r.page(path+"/log"), "\n"+tt.says)
			r.noneAlive(r.pids())
			r.end(syscall.SIGTERM)
		})
	}
}

// relays are processes that each start another and end: ten run at a time, as
// long as $RUNS.d/go is there and no longer than a few minutes.
const relays = `cat >$RUNS.d/relay <<'END'
[ -e $RUNS.d/go ] && [ $1 -lt 100000 ] && setsid sh $RUNS.d/relay $(($1 + 1)) &
END
for n in 1 2 3 4 5 6 7 8 9 10; do sh $RUNS.d/relay 1; done
`

// killing is a process that kills all that it may, as long as $RUNS.d/go is
// there.
const killing = `setsid sh -c 'while [ -e $RUNS.d/go ]; do kill -9 -1; done' &
wait
`

func TestABuildAsAnotherUserCannotEscapeBeingKilled(t *testing.T) {
	for _, tt := range []struct {
		name, command, state string
		hide                 bool
	}{
		{"by being another process whenever it is looked for", relays, "success", false},
		{"nor unseen", relays, "success", true},
		{"by killing whoever comes to kill it", killing, "failure", false},
		{"nor that unseen", killing, "failure", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			users := others(t, 2)
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
			require.Empty(t, processesOf(t, users[1]))
			r.end(syscall.SIGTERM)
		})
	}
}

func TestOutputThatIsReadMustBeWhole(t *testing.T) {
	for name, read := range map[string]bool{"a value is not taken for whole": true, "the end of a log may be missing": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := openData(t.TempDir())
			require.NoError(t, err)
			t.Cleanup(d.close)
			gate := filepath.Join(d.dir, "gate")
			require.NoError(t, syscall.Mkfifo(gate, 0o600))
			var out bytes.Buffer
			c := command{args: []string{"/bin/sh", "-c", "echo $$ >" + gate + "; read go <" + gate}, dir: d.dir, env: []string{"PATH=" + os.Getenv("PATH")}, output: &out, lock: d.lock}
			if read {
				c.output, c.stdout = new(bytes.Buffer), &out
			}
			ended := make(chan error, 1)
			go func() { ended <- c.run(t.Context()) }()
			pid, err := os.ReadFile(gate)
			require.NoError(t, err)
			// We keep it open, as a process would that cannot be killed.
			kept, err := os.OpenFile(filepath.Join("/proc", strings.TrimSpace(string(pid)), "fd", "1"), os.O_WRONLY, 0)
			require.NoError(t, err)
			t.Cleanup(func() { _ = kept.Close() })
			require.NoError(t, os.WriteFile(gate, []byte("\n"), 0))
			err = <-ended
			if read {
				require.ErrorIs(t, err, exec.ErrWaitDelay)
			} else {
				require.NoError(t, err)
			}
		})
	}
}
