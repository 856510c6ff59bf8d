package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// alive reports whether a process runs. A zombie does not run.
func alive(t *testing.T, pid string) bool {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
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
	if len(pids) != 4 {
		r.Fatalf("len(pids) = %d, want 4: %v", len(pids), pids)
	}
	for _, pid := range pids {
		if alive(r.T, pid) {
			r.Fatalf("%v: alive(r.T, pid) is true, want false", pid)
		}
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
	if !strings.Contains(status.Description, "exit status 3 after") {
		t.Fatalf("status.Description = %q, want it to contain \"exit status 3 after\"", status.Description)
	}
	log := r.page(path + "/log")
	if len(log) >= 21000 {
		t.Fatalf("len(log) = %d, want less than 21000", len(log))
	}
	if !strings.Contains(log, "log truncated at 20000 bytes") {
		t.Fatalf("log = %q, want it to contain \"log truncated at 20000 bytes\"", log)
	}
	if !strings.Contains(log, "failure: exit status 3") {
		t.Fatalf("github-ci's own lines do not count: log = %q, want it to contain \"failure: exit status 3\"", log)
	}
	if got := r.read(r.runs); got != "run\n" {
		t.Fatalf("a failure is a result and is not retried: r.read(r.runs) = %q, want %q", got, "run\n")
	}
	r.hub.noFaults(t)
}

func TestBuildKilledBySignalIsFailure(t *testing.T) {
	r := newRig(t, "echo run >>$RUNS; kill -9 $$")
	sha := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: sha})
	status, _ := r.untilStatus(sha, "failure")
	if !strings.Contains(status.Description, "exit status 137 after") {
		t.Fatalf("status.Description = %q, want it to contain \"exit status 137 after\"", status.Description)
	}
	if got := r.read(r.runs); got != "run\n" {
		t.Fatalf("r.read(r.runs) = %q, want %q", got, "run\n")
	}
}

func TestTimeoutKillsAllProcesses(t *testing.T) {
	r := newRig(t, leaveProcesses+"echo all started; sleep 1005", "    timeout: 2s\n")
	sha := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: sha})
	status, path := r.untilStatus(sha, "failure")
	if !strings.Contains(status.Description, "exceeded the time limit of 2s") {
		t.Fatalf("status.Description = %q, want it to contain \"exceeded the time limit of 2s\"", status.Description)
	}
	if got := r.page(path + "/log"); !strings.Contains(got, "all started\n") {
		t.Fatalf(`r.page(path+"/log") = %q, want it to contain %q`, got, "all started\n")
	}
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
	if !strings.Contains(log, "before the crash\n") {
		t.Fatalf("log = %q, want it to contain %q", log, "before the crash\n")
	}
	if !strings.Contains(log, "github-ci was killed during this run: it will run again\n") {
		t.Fatalf("log = %q, want it to contain %q", log, "github-ci was killed during this run: it will run again\n")
	}
	if got := r.read(r.runs); got != "run\nrun\n" {
		t.Fatalf("r.read(r.runs) = %q, want %q", got, "run\nrun\n")
	}
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
	if status.Description != "replaced by a newer push" {
		t.Fatalf("status.Description = %q, want \"replaced by a newer push\"", status.Description)
	}
	if got := r.page(path); !strings.Contains(got, `class="replaced"`) {
		t.Fatalf("r.page(path) = %q, want it to contain %q", got, `class="replaced"`)
	}
	if got := r.read(r.runs); got != "one\ntwo\n" {
		t.Fatalf("r.read(r.runs) = %q, want %q", got, "one\ntwo\n")
	}
	r.hub.noFaults(t)
}
