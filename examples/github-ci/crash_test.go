package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// alive reports whether a process runs; what only waits to be reaped does not.
func alive(t *testing.T, pid string) bool {
	t.Helper()
	n, err := strconv.Atoi(pid)
	require.NoError(t, err)
	if runtime.GOOS != "linux" {
		return syscall.Kill(n, 0) == nil
	}
	cmdline, _ := os.ReadFile(filepath.Join("/proc", pid, "cmdline"))
	return len(cmdline) > 0
}

// leftovers has a command leave processes behind: in the background, in a session
// of their own, as orphans, and with nothing in their environment to know them
// by.
const leftovers = "sleep 1001 & echo $! >>$RUNS.pids\n" +
	"setsid sh -c 'echo $$ >>$RUNS.pids; exec sleep 1002' &\n" +
	"( ( sh -c 'echo $$ >>$RUNS.pids; exec sleep 1003' ) & )\n" +
	"( env -i setsid setsid sh -c 'echo $$ >>$RUNS.pids; exec sleep 1004 >/dev/null 2>&1' & )\n" +
	"until [ $(wc -l <$RUNS.pids) -ge 4 ]; do sleep 0.02; done\n"

// allLeft waits until there are all of them.
func (r *rig) allLeft() []string {
	r.Helper()
	r.until("all have started", func() bool { return len(r.pids()) == 4 })
	return r.pids()
}

// noneAlive wants them to be gone, at this moment.
func (r *rig) noneAlive(pids []string) {
	r.Helper()
	require.Len(r, pids, 4)
	for _, pid := range pids {
		require.False(r, alive(r.T, pid), pid)
	}
}

func (r *rig) pids() []string { return strings.Fields(r.read(r.runs + ".pids")) }

func TestAFailingBuildIsAFailureAndItsLogIsBounded(t *testing.T) {
	r := newRig(t, "echo run >>$RUNS; head -c 300000 /dev/zero | tr '\\0' x; exit 3")
	r.args = []string{"-max-log", "20000"}
	sha := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: sha})
	status, path := r.untilStatus(sha, "failure")
	require.Contains(t, status.Description, "exit status 3 after")
	log := r.page(path + "/log")
	require.Less(t, len(log), 21000)
	require.Contains(t, log, "the log has 20000 bytes: the rest is left out")
	require.Contains(t, log, "failure: exit status 3", "our own lines have room")
	require.Equal(t, "run\n", r.read(r.runs), "a failure is a result and not tried again")
	r.hub.noFaults(t)
}

func TestABuildThatIsKilledByASignalIsAFailure(t *testing.T) {
	r := newRig(t, "echo run >>$RUNS; kill -9 $$")
	sha := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: sha})
	status, _ := r.untilStatus(sha, "failure")
	require.Contains(t, status.Description, "exit status 137 after")
	require.Equal(t, "run\n", r.read(r.runs))
}

func TestAHangingBuildIsKilledWithAllThatItStarted(t *testing.T) {
	r := newRig(t, leftovers+"echo all started; sleep 1005", "    timeout: 2s\n")
	sha := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: sha})
	status, path := r.untilStatus(sha, "failure")
	require.Contains(t, status.Description, "over the time limit of 2s")
	require.Contains(t, r.page(path+"/log"), "all started\n")
	r.noneAlive(r.pids())
	r.hub.noFaults(t)
}

func TestABuildThatPassesLeavesNothingThatItStarted(t *testing.T) {
	r := newRig(t, leftovers)
	sha := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: sha})
	r.untilStatus(sha, "success")
	r.noneAlive(r.pids())
}

func TestABuildCutByACrashRunsAgain(t *testing.T) {
	r := newRig(t, "[ -e $RUNS ] && again=yes; echo run >>$RUNS; [ \"$again\" ] || { "+leftovers+"echo before the crash; }"+waitForGate)
	sha := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: sha})
	_, path := r.untilStatus(sha, "pending")
	r.untilPage(path, "before the crash\n")
	pids := r.allLeft()
	r.end(syscall.SIGKILL)
	r.start()
	r.noneAlive(pids) // before the program listens
	r.untilPage(path, "run 2 of acme/app refs/heads/main")
	r.open()
	r.untilStatus(sha, "success")
	log := r.page(path + "/log")
	require.Contains(t, log, "before the crash\n")
	require.Contains(t, log, "github-ci was killed during this run: it will run again\n")
	require.Equal(t, "run\nrun\n", r.read(r.runs))
	r.hub.noFaults(t)
}

func TestABuildCutByACrashGivesWayToANewerPush(t *testing.T) {
	r := newRig(t, "cat file.txt >>$RUNS"+waitForGate)
	one, two := r.repo.commit("main", "one"), r.repo.commit("main", "two")
	r.start()
	r.push(pushed{after: one})
	r.untilStatus(one, "pending")
	r.until("it runs", func() bool { return r.read(r.runs) != "" })
	r.push(pushed{before: one, after: two})
	r.end(syscall.SIGKILL)
	r.open()
	r.start()
	r.untilStatus(two, "success")
	status, path := r.untilStatus(one, "error")
	require.Equal(t, "a newer push took its place", status.Description)
	require.Contains(t, r.page(path), `class="replaced"`)
	require.Equal(t, "one\ntwo\n", r.read(r.runs))
	r.hub.noFaults(t)
}

func TestSIGTERMDrains(t *testing.T) {
	t.Run("a build that ends within the grace is finished", func(t *testing.T) {
		r := newRig(t, "echo run >>$RUNS"+waitForGate)
		sha := r.repo.commit("main", "one")
		r.start()
		r.push(pushed{after: sha})
		r.until("it runs", func() bool { return r.read(r.runs) != "" })
		require.NoError(t, r.p.cmd.Process.Signal(syscall.SIGTERM))
		r.open()
		r.ended()
		require.Zero(t, r.p.cmd.ProcessState.ExitCode())
		r.start()
		r.untilStatus(sha, "success")
		require.Equal(t, "run\n", r.read(r.runs))
	})
	t.Run("another is stopped and runs again at the next start", func(t *testing.T) {
		r := newRig(t, "echo run >>$RUNS; "+leftovers+waitForGate)
		r.args = []string{"-grace", "100ms"}
		sha := r.repo.commit("main", "one")
		r.start()
		r.push(pushed{after: sha})
		_, path := r.untilStatus(sha, "pending")
		r.allLeft()
		next := r.stream(path, "") // does not hold up the end
		r.end(syscall.SIGTERM)
		for _, more := next(); more; {
			_, more = next()
		}
		r.noneAlive(r.pids())
		require.NoError(t, os.Remove(r.runs+".pids"))
		r.open()
		r.start()
		r.untilStatus(sha, "success")
		require.Contains(t, r.page(path+"/log"), "github-ci was stopped during this run: it will run again\n")
		require.Equal(t, "run\nrun\n", r.read(r.runs))
		r.hub.noFaults(t)
	})
}

func TestAnUnreachableGitHubDoesNotRunTheBuildTwice(t *testing.T) {
	r := newRig(t, "echo run >>$RUNS")
	sha := r.repo.commit("main", "one")
	r.hub.setDown(true)
	r.start()
	r.push(pushed{after: sha})
	r.untilPage("/", `class="success"`)
	r.until("it was tried", func() bool { return strings.Contains(r.p.said(), "GitHub answered 503") })
	r.hub.setDown(false)
	_, path := r.untilStatus(sha, "success")
	require.Contains(t, r.page(path), "passed in")
	require.Equal(t, "run\n", r.read(r.runs))
	r.hub.noFaults(t)
}

func TestAnUnreachableRemoteIsTriedAgain(t *testing.T) {
	r := newRig(t, "echo run >>$RUNS")
	sha := r.repo.commit("main", "one")
	away := r.repo.bare + ".away"
	require.NoError(t, os.Rename(r.repo.bare, away))
	r.start()
	r.push(pushed{after: sha})
	r.untilPage("/", `class="waiting"`)
	require.NoError(t, os.Rename(away, r.repo.bare))
	_, path := r.untilStatus(sha, "success")
	require.Contains(t, r.page(path+"/log"), "it will run again")
	require.Equal(t, "run\n", r.read(r.runs))
}
