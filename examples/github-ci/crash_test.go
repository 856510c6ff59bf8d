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

// alive reports whether a process runs. A zombie does not run.
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

// leaveProcesses is a script that leaves processes behind: in the background, in their
// own session, as orphans, and with an empty environment that does not identify
// them.
const leaveProcesses = "sleep 1001 & echo $! >>$RUNS.pids\n" +
	"setsid sh -c 'echo $$ >>$RUNS.pids; exec sleep 1002' &\n" +
	"( ( sh -c 'echo $$ >>$RUNS.pids; exec sleep 1003' ) & )\n" +
	"( env -i setsid setsid sh -c 'echo $$ >>$RUNS.pids; exec sleep 1004 >/dev/null 2>&1' & )\n" +
	"until [ $(wc -l <$RUNS.pids) -ge 4 ]; do sleep 0.02; done\n"

// startedPIDs waits until all processes of leaveProcesses have started and returns
// their pids.
func (r *rig) startedPIDs() []string {
	r.Helper()
	r.until("all processes have started", func() bool { return len(r.pids()) == 4 })
	return r.pids()
}

// noneAlive fails the test if one of the processes of leaveProcesses runs.
func (r *rig) noneAlive(pids []string) {
	r.Helper()
	require.Len(r, pids, 4)
	for _, pid := range pids {
		require.False(r, alive(r.T, pid), pid)
	}
}

func (r *rig) pids() []string { return strings.Fields(r.read(r.runs + ".pids")) }

func TestFailingBuildWithLimitedLog(t *testing.T) {
	r := newRig(t, "echo run >>$RUNS; head -c 300000 /dev/zero | tr '\\0' x; exit 3")
	r.args = []string{"-max-log", "20000"}
	sha := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: sha})
	status, path := r.untilStatus(sha, "failure")
	require.Contains(t, status.Description, "exit status 3 after")
	log := r.page(path + "/log")
	require.Less(t, len(log), 21000)
	require.Contains(t, log, "log truncated at 20000 bytes")
	require.Contains(t, log, "failure: exit status 3", "github-ci's own lines do not count")
	require.Equal(t, "run\n", r.read(r.runs), "a failure is a result and is not retried")
	r.hub.noFaults(t)
}

func TestBuildKilledBySignalIsFailure(t *testing.T) {
	r := newRig(t, "echo run >>$RUNS; kill -9 $$")
	sha := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: sha})
	status, _ := r.untilStatus(sha, "failure")
	require.Contains(t, status.Description, "exit status 137 after")
	require.Equal(t, "run\n", r.read(r.runs))
}

func TestTimeoutKillsAllProcesses(t *testing.T) {
	r := newRig(t, leaveProcesses+"echo all started; sleep 1005", "    timeout: 2s\n")
	sha := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: sha})
	status, path := r.untilStatus(sha, "failure")
	require.Contains(t, status.Description, "exceeded the time limit of 2s")
	require.Contains(t, r.page(path+"/log"), "all started\n")
	r.noneAlive(r.pids())
	r.hub.noFaults(t)
}

func TestPassedBuildLeavesNoProcesses(t *testing.T) {
	r := newRig(t, leaveProcesses)
	sha := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: sha})
	r.untilStatus(sha, "success")
	r.noneAlive(r.pids())
}

func TestBuildRunsAgainAfterCrash(t *testing.T) {
	r := newRig(t, "[ -e $RUNS ] && again=yes; echo run >>$RUNS; [ \"$again\" ] || { "+leaveProcesses+"echo before the crash; }"+waitForGate)
	sha := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: sha})
	_, path := r.untilStatus(sha, "pending")
	r.untilPage(path, "before the crash\n")
	pids := r.startedPIDs()
	r.signalAndWait(syscall.SIGKILL)
	r.start()
	r.noneAlive(pids) // before the program listens
	r.untilPage(path, "run 2 of acme/app refs/heads/main")
	r.openGate()
	r.untilStatus(sha, "success")
	log := r.page(path + "/log")
	require.Contains(t, log, "before the crash\n")
	require.Contains(t, log, "github-ci was killed during this run: it will run again\n")
	require.Equal(t, "run\nrun\n", r.read(r.runs))
	r.hub.noFaults(t)
}

func TestNewerPushReplacesBuildAfterCrash(t *testing.T) {
	r := newRig(t, "cat file.txt >>$RUNS"+waitForGate)
	one, two := r.repo.commit("main", "one"), r.repo.commit("main", "two")
	r.start()
	r.push(pushed{after: one})
	r.untilStatus(one, "pending")
	r.until("the build runs", func() bool { return r.read(r.runs) != "" })
	r.push(pushed{before: one, after: two})
	r.signalAndWait(syscall.SIGKILL)
	r.openGate()
	r.start()
	r.untilStatus(two, "success")
	status, path := r.untilStatus(one, "error")
	require.Equal(t, "replaced by a newer push", status.Description)
	require.Contains(t, r.page(path), `class="replaced"`)
	require.Equal(t, "one\ntwo\n", r.read(r.runs))
	r.hub.noFaults(t)
}

func TestSIGTERM(t *testing.T) {
	t.Run("a build within the timeout finishes", func(t *testing.T) {
		r := newRig(t, "echo run >>$RUNS"+waitForGate)
		sha := r.repo.commit("main", "one")
		r.start()
		r.push(pushed{after: sha})
		r.until("the build runs", func() bool { return r.read(r.runs) != "" })
		require.NoError(t, r.p.cmd.Process.Signal(syscall.SIGTERM))
		r.openGate()
		r.waitExit()
		require.Zero(t, r.p.cmd.ProcessState.ExitCode())
		r.start()
		r.untilStatus(sha, "success")
		require.Equal(t, "run\n", r.read(r.runs))
	})
	t.Run("a longer build is stopped and runs again at the next start", func(t *testing.T) {
		r := newRig(t, "echo run >>$RUNS; "+leaveProcesses+waitForGate)
		r.args = []string{"-shutdown-timeout", "100ms"}
		sha := r.repo.commit("main", "one")
		r.start()
		r.push(pushed{after: sha})
		_, path := r.untilStatus(sha, "pending")
		r.startedPIDs()
		next := r.stream(path, "") // an open stream does not delay the shutdown
		r.signalAndWait(syscall.SIGTERM)
		for _, more := next(); more; {
			_, more = next()
		}
		r.noneAlive(r.pids())
		require.NoError(t, os.Remove(r.runs+".pids"))
		r.openGate()
		r.start()
		r.untilStatus(sha, "success")
		require.Contains(t, r.page(path+"/log"), "github-ci was stopped during this run: it will run again\n")
		require.Equal(t, "run\nrun\n", r.read(r.runs))
		r.hub.noFaults(t)
	})
}

func TestUnreachableGitHubDoesNotRepeatBuild(t *testing.T) {
	r := newRig(t, "echo run >>$RUNS")
	sha := r.repo.commit("main", "one")
	r.hub.setDown(true)
	r.start()
	r.push(pushed{after: sha})
	r.untilPage("/", `class="success"`)
	r.until("the status was sent", func() bool { return strings.Contains(r.p.logText(), "GitHub answered 503") })
	r.hub.setDown(false)
	_, path := r.untilStatus(sha, "success")
	require.Contains(t, r.page(path), "passed in")
	require.Equal(t, "run\n", r.read(r.runs))
	r.hub.noFaults(t)
}

func TestUnreachableRemoteIsRetried(t *testing.T) {
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
