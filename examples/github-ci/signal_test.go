package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestSIGTERM(t *testing.T) {
	t.Run("a build within the timeout finishes", func(t *testing.T) {
		r := newRig(t, "echo run >>$RUNS"+waitForGate)
		sha := r.repo.commit("main", "one")
		r.start()
		r.push(pushed{after: sha})
		r.until("the build runs", func() bool { return r.read(r.runs) != "" })
		if err := r.p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		r.openGate()
		r.waitExit()
		if got := r.p.cmd.ProcessState.ExitCode(); got != 0 {
			t.Fatalf("r.p.cmd.ProcessState.ExitCode() = %d, want 0", got)
		}
		r.start()
		r.untilStatus(sha, "success")
		if got := r.read(r.runs); got != "run\n" {
			t.Fatalf("r.read(r.runs) = %q, want %q", got, "run\n")
		}
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
		if err := os.Remove(r.runs + ".pids"); err != nil {
			t.Fatal(err)
		}
		r.openGate()
		r.start()
		r.untilStatus(sha, "success")
		if got := r.page(path + "/log"); !strings.Contains(got, "github-ci was stopped during this run: it will run again\n") {
			t.Fatalf(`r.page(path+"/log") = %q, want it to contain %q`, got, "github-ci was stopped during this run: it will run again\n")
		}
		if got := r.read(r.runs); got != "run\nrun\n" {
			t.Fatalf("r.read(r.runs) = %q, want %q", got, "run\nrun\n")
		}
		r.hub.noFaults(t)
	})
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	r := newRig(t, "echo run >>$RUNS; "+leaveProcesses+waitForGate)
	r.args = []string{"-shutdown-timeout", "1h"}
	sha := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: sha})
	pids := r.startedPIDs()
	if err := r.p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	r.until("it says what it waits for", func() bool { return strings.Contains(r.p.logText(), "a second signal stops them now") })
	r.until("it exits", func() bool { // the handler of the first signal may be there for a moment
		_ = r.p.cmd.Process.Signal(syscall.SIGINT)
		select {
		case <-r.p.done:
			return true
		default:
			return false
		}
	})
	if err := os.Remove(r.runs + ".pids"); err != nil {
		t.Fatal(err)
	}
	r.args = nil
	r.openGate()
	r.start()
	r.noneAlive(pids)
	r.untilStatus(sha, "success")
}
