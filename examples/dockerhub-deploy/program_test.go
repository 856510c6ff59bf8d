package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestProgramGetsDetailsAndItsOutputIsLogged(t *testing.T) {
	t.Parallel()
	h := newExecHost(t, "~1.4", `env | sort > env; echo "$1|$2"; echo to stderr >&2; printf 'no end\033[31m'`, "-exec-arg=one", "-exec-arg=two three", "-env=EXTRA")
	h.env = append(h.env, "EXTRA=yes", "SECRET=no")
	digest := h.push("1.4.2", "")
	h.start()
	h.result("exec:shop", "deployed", 1)
	for _, line := range []string{"HOOKHOUSE_TARGET=shop", "HOOKHOUSE_RULE=acme/app:~1.4=exec:shop", "HOOKHOUSE_REPOSITORY=" + h.repository(), "HOOKHOUSE_TAG=1.4.2",
		"HOOKHOUSE_DIGEST=" + digest, "HOOKHOUSE_IMAGE=" + h.repository() + ":1.4.2@" + digest, "HOOKHOUSE_PREVIOUS_TAG=", "EXTRA=yes"} {
		if !strings.Contains("\n"+h.read("env"), "\n"+line+"\n") {
			t.Errorf("the environment lacks %q", line)
		}
	}
	if strings.Contains(h.read("env"), "SECRET") || strings.Contains(h.read("env"), token) {
		t.Error("the program got a secret")
	}
	for _, line := range []string{`target=exec:shop line="one|two three"`, `target=exec:shop line="to stderr"`, `line="no end\x1b[31m"`} {
		if !strings.Contains(h.logText(), line) {
			t.Errorf("the log lacks %s", line)
		}
	}
}

func TestEndlessOutputIsBounded(t *testing.T) {
	t.Parallel()
	h := newExecHost(t, "latest", "yes 'a line of some length, so that it is soon enough' | head -c 300000000; echo the end")
	h.push("latest", "")
	h.start()
	h.result("exec:shop", "deployed", 1)
	if size := len(h.logText()); size > 4<<20 {
		t.Errorf("the log has %d bytes", size)
	}
	if !strings.Contains(h.logText(), "the rest of the output is not logged") {
		t.Error("the log does not say that it is not all")
	}
}

// A program goes on while this one is killed and started again, and no second one runs
// beside it. A process that a program leaves running holds up nothing.
func TestOneProgramAtATimeAfterKill(t *testing.T) {
	t.Parallel()
	h := newExecHost(t, "latest", `
[ -e running ] && echo two at once >> fault
touch running
(sleep 600 > /dev/null 2>&1 & echo $! >> left)
until [ -e go ]; do echo waiting; sleep 0.1; done
rm running
echo end >> runs
`)
	t.Cleanup(func() {
		for pid := range strings.FieldsSeq(h.read("left")) {
			if n, err := strconv.Atoi(pid); err == nil {
				_ = syscall.Kill(n, syscall.SIGKILL)
			}
		}
	})
	h.push("latest", "")
	h.start()
	h.until("the program to run", func() bool { return h.read("left") != "" })
	_ = h.program.Process.Kill()
	h.until("the kill", h.exited)
	h.start()
	h.until("the order to be claimed", func() bool { return h.stats().Types["deploy.order"][webhook.Claimed] == 1 })
	if got := h.runs(); got != "latest" {
		t.Fatalf("the runs are %q before the first one has ended", got)
	}
	h.write("go", "")
	h.result("exec:shop", "deployed", 1)
	if got := h.runs(); got != "latest end latest end" || h.read("fault") != "" {
		t.Errorf("the runs are %q, faults: %s", got, h.read("fault"))
	}
	h.push("latest", "")
	h.call("latest", 1)
	h.result("exec:shop", "deployed", 2)
}

func TestProgramTimeout(t *testing.T) {
	t.Parallel()
	// The first run hangs; the second one exits.
	h := newExecHost(t, "1.4.0", "[ -e slow ] && exit\ntouch slow\nsleep 600\n", "-command-timeout=3s")
	h.push("1.4.0", "")
	h.start()
	h.result("exec:shop", "deployed", 1)
	if !strings.Contains(h.logText(), "command timeout: killed after 3s") {
		t.Error("the log does not say so")
	}
}

func TestSIGTERMLetsDeploymentFinish(t *testing.T) {
	t.Parallel()
	h := newExecHost(t, "latest", "touch held\nuntil [ -e go ]; do sleep 0.1; done\necho end >> runs\n")
	h.push("latest", "")
	h.start()
	h.until("the program to run", func() bool { _, err := os.Stat(h.dir + "/held"); return err == nil })
	if err := h.program.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	h.until("the log to say so", func() bool { return strings.Contains(h.logText(), "running deployments finish first") })
	h.write("go", "")
	h.until("the end", h.exited)
	if got := h.runs(); got != "latest end" || h.program.ProcessState.ExitCode() != 0 {
		t.Errorf("the runs are %q, exit status %d", got, h.program.ProcessState.ExitCode())
	}
}
