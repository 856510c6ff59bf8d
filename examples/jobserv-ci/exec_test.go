package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// script writes a program into dir.
func script(t *testing.T, dir, text string) {
	t.Helper()
	write(t, filepath.Join(dir, "hook.sh"), "#!/bin/sh\n"+text, 0o755)
}

const commandDone = `hookhouse_attempts_total{state="done",type="jobserv-ci.result"} 1`

func TestCommandInput(t *testing.T) {
	t.Parallel()
	dir := home(t)
	script(t, dir, `env > env; cat > facts; echo "args: $*" > args; echo said by the command`)
	p := start(t, dir, "-json", "-exec", "./hook.sh --verbose now")
	p.deliver(t, fixture(t, "build.failed-boot.json"))
	p.counts(t, commandDone)
	printed := results(t, p.stop(t))
	if len(printed) != 1 {
		t.Fatalf("standard output is for results: len(printed) = %d, want 1: %v", len(printed), printed)
	}
	if got := p.log.String(); !strings.Contains(got, "said by the command") {
		t.Fatalf("p.log.String() = %q, want it to contain \"said by the command\"", got)
	}

	if got := read(t, filepath.Join(dir, "args")); got != "args: --verbose now\n" {
		t.Fatalf(`read(filepath.Join(dir, "args")) = %q, want %q`, got, "args: --verbose now\n")
	}
	var facts map[string]any
	if err := json.Unmarshal([]byte(read(t, filepath.Join(dir, "facts"))), &facts); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(printed[0], facts); diff != "" {
		t.Fatalf("facts (-want +got):\n%s", diff)
	}
	env := read(t, filepath.Join(dir, "env"))
	for _, want := range []string{
		"JOBSERV_PROJECT=acme/lmp\n", "JOBSERV_BUILD_ID=71\n", "JOBSERV_STATUS=FAILED\n", "JOBSERV_TRIGGER=platform-main\n",
		"JOBSERV_REASON=Push to main: new kernel\n", "JOBSERV_FAILED_RUNS=boot-arm64\n", "JOBSERV_LATE=false\n",
		"JOBSERV_URL=https://ci.example.com/projects/acme/lmp/builds/71\n", "PATH=",
	} {
		if !strings.Contains(env, want) {
			t.Fatalf("env = %q, want it to contain %q", env, want)
		}
	}
	if strings.Contains(env, "PRIVATE") {
		t.Fatalf("env = %q, want it not to contain \"PRIVATE\"", env)
	}
}

func TestFailedCommandIsRetriedWithoutPrintingAgain(t *testing.T) {
	t.Parallel()
	dir := home(t)
	script(t, dir, `echo run >> runs; test "$(wc -l < runs)" -ge 3`)
	p := start(t, dir, "-exec", "./hook.sh")
	p.deliver(t, fixture(t, "build.failed-boot.json"))
	p.counts(t, commandDone)
	if got := strings.Count(p.stop(t), "build 71"); got != 1 {
		t.Fatalf(`strings.Count(p.stop(), "build 71") = %d, want %d`, got, 1)
	}
	if got := read(t, filepath.Join(dir, "runs")); got != "run\nrun\nrun\n" {
		t.Fatalf(`read(filepath.Join(dir, "runs")) = %q, want %q`, got, "run\nrun\nrun\n")
	}
	if got := p.log.String(); !strings.Contains(got, "./hook.sh: exit status 1") {
		t.Fatalf("p.log.String() = %q, want it to contain \"./hook.sh: exit status 1\"", got)
	}
}

func TestHangingCommandIsKilledWithItsChildren(t *testing.T) {
	t.Parallel()
	dir := home(t)
	// The child ignores SIGTERM and writes the file alive as long as it runs. A run
	// that is killed before it writes the file is followed by another one.
	script(t, dir, `
test -s alive && exit 0
sh -c 'trap "" TERM; while :; do echo yes > alive; sleep 0.05; done' &
echo $! > child
wait`)
	p := start(t, dir, "-exec", "./hook.sh", "-exec-timeout", "300ms")
	p.deliver(t, fixture(t, "build.failed-boot.json"))
	p.counts(t, commandDone)
	p.stop(t)
	if got := p.log.String(); !strings.Contains(got, "timeout after 300ms") {
		t.Fatalf("p.log.String() = %q, want it to contain \"timeout after 300ms\"", got)
	}
	if got := read(t, filepath.Join(dir, "alive")); got == "" {
		t.Fatalf(`the child must have started: read(filepath.Join(dir, "alive")) = %q, want not empty`, got)
	}
	child := strings.TrimSpace(read(t, filepath.Join(dir, "child")))
	eventually(t, "the child has exited", func() bool { return exited(t, child) })
}

func TestSIGTERMLetsCommandFinish(t *testing.T) {
	t.Parallel()
	dir := home(t)
	script(t, dir, `echo started >> runs; while ! test -e go; do sleep 0.05; done; echo finished >> runs`)
	p := start(t, dir, "-exec", "./hook.sh")
	p.deliver(t, fixture(t, "build.failed-boot.json"))
	eventually(t, "the command runs", func() bool { return read(t, filepath.Join(dir, "runs")) != "" })
	terminate(t, p)
	eventually(t, "the program accepts no more connections", func() bool { return !reachable(t, p) })
	write(t, filepath.Join(dir, "go"), "", 0o600)
	if err := p.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, filepath.Join(dir, "runs")); got != "started\nfinished\n" {
		t.Fatalf(`read(filepath.Join(dir, "runs")) = %q, want %q`, got, "started\nfinished\n")
	}

	again := start(t, dir, "-exec", "./hook.sh")
	again.counts(t, `hookhouse_stored_deliveries{state="done",type="jobserv-ci.result"} 1`)
	if got := again.stop(t); got != "" {
		t.Fatalf("again.stop() = %q, want empty", got)
	}
	if got := read(t, filepath.Join(dir, "runs")); got != "started\nfinished\n" {
		t.Fatalf(`the command must not run again: read(filepath.Join(dir, "runs")) = %q, want %q`, got, "started\nfinished\n")
	}
}

func TestCommandStoppedByShutdownRunsAgain(t *testing.T) {
	t.Parallel()
	dir := home(t)
	script(t, dir, `trap "" TERM; echo run >> runs; while ! test -e go; do sleep 0.05; done`)
	p := start(t, dir, "-exec", "./hook.sh")
	p.deliver(t, fixture(t, "build.failed-boot.json"))
	eventually(t, "the command runs", func() bool { return read(t, filepath.Join(dir, "runs")) != "" })
	if got := strings.Count(p.stop(t), "build 71"); got != 1 {
		t.Fatalf(`the program must exit with status 0: strings.Count(p.stop(), "build 71") = %d, want %d`, got, 1)
	}

	write(t, filepath.Join(dir, "go"), "", 0o600)
	again := start(t, dir, "-exec", "./hook.sh")
	again.counts(t, commandDone)
	if got := again.stop(t); got != "" {
		t.Fatalf("the build must not be printed again: again.stop() = %q, want empty", got)
	}
	if got := read(t, filepath.Join(dir, "runs")); got != "run\nrun\n" {
		t.Fatalf(`read(filepath.Join(dir, "runs")) = %q, want %q`, got, "run\nrun\n")
	}
}

func TestCommandRunsAgainAfterKill(t *testing.T) {
	t.Parallel()
	dir := home(t)
	script(t, dir, `echo run >> runs; while ! test -e go; do sleep 0.05; done`)
	p := start(t, dir, "-exec", "./hook.sh")
	p.deliver(t, fixture(t, "build.failed-boot.json"))
	eventually(t, "the command runs", func() bool { return read(t, filepath.Join(dir, "runs")) != "" })
	p.counts(t, `hookhouse_attempts_total{state="done",type="jobserv.build"} 1`)
	p.kill(t)
	if got := strings.Count(p.out.String(), "build 71"); got != 1 {
		t.Fatalf(`strings.Count(p.out.String(), "build 71") = %d, want %d`, got, 1)
	}

	write(t, filepath.Join(dir, "go"), "", 0o600)
	again := start(t, dir, "-exec", "./hook.sh")
	again.counts(t, commandDone)
	if got := again.stop(t); got != "" {
		t.Fatalf("the build must not be printed again: again.stop() = %q, want empty", got)
	}
	if got := read(t, filepath.Join(dir, "runs")); got != "run\nrun\n" {
		t.Fatalf(`read(filepath.Join(dir, "runs")) = %q, want %q`, got, "run\nrun\n")
	}
}

func TestFailingCommandBlocksOnlyCommandsOfProject(t *testing.T) {
	t.Parallel()
	dir := home(t)
	script(t, dir, `echo "$JOBSERV_BUILD_ID" >> runs; test -e go`)
	p := start(t, dir, "-exec", "./hook.sh")
	first := fixture(t, "build.failed-boot.json")
	p.deliver(t, first)
	p.prints(t, "build 71")
	p.deliver(t, bytes.ReplaceAll(first, []byte("71"), []byte("72")))
	p.prints(t, "build 72")
	if got := read(t, filepath.Join(dir, "runs")); strings.Contains(got, "72") {
		t.Fatalf(`the commands of a project run in order: read(filepath.Join(dir, "runs")) = %q, want it not to contain %q`, got, "72")
	}
	write(t, filepath.Join(dir, "go"), "", 0o600)
	p.counts(t, `hookhouse_attempts_total{state="done",type="jobserv-ci.result"} 2`)
	p.stop(t)
	if !strings.HasSuffix(read(t, filepath.Join(dir, "runs")), "71\n72\n") {
		t.Fatal(`strings.HasSuffix(read(filepath.Join(dir, "runs")), "71\n72\n") is false, want true`)
	}
}

func TestFailingCommandIsOvertaken(t *testing.T) {
	t.Parallel()
	dir := home(t)
	script(t, dir, `echo "$JOBSERV_BUILD_ID $JOBSERV_LATE" >> runs; test "$JOBSERV_BUILD_ID" = 72 || test -e go`)
	p := start(t, dir, "-exec", "./hook.sh", "-exec-block-timeout", "0s")
	first := fixture(t, "build.failed-boot.json")
	p.deliver(t, first)
	p.prints(t, "build 71")
	p.deliver(t, bytes.ReplaceAll(first, []byte("71"), []byte("72")))
	p.counts(t, commandDone)
	if got := read(t, filepath.Join(dir, "runs")); !strings.Contains(got, "71 false\n") || !strings.Contains(got, "72 false\n") {
		t.Errorf("ran %q, want 71 and 72", got)
	}
	write(t, filepath.Join(dir, "go"), "", 0o600)
	p.counts(t, `hookhouse_attempts_total{state="done",type="jobserv-ci.result"} 2`)
	p.stop(t)
	if got := read(t, filepath.Join(dir, "runs")); !strings.HasSuffix(got, "71 true\n") {
		t.Errorf("ran %q, want 71 last, as one that is late", got)
	}
}
