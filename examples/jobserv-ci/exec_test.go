package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// script writes a program into dir.
func script(t *testing.T, dir, text string) {
	t.Helper()
	write(t, filepath.Join(dir, "hook.sh"), "#!/bin/sh\n"+text, 0o755)
}

const commandDone = `hookhouse_deliveries{state="done",type="jobserv-ci.result"} 1`

func TestCommandInput(t *testing.T) {
	t.Parallel()
	dir := home(t)
	script(t, dir, `env > env; cat > facts; echo "args: $*" > args; echo said by the command`)
	p := start(t, dir, "-json", "-exec", "./hook.sh --verbose now")
	p.deliver(t, fixture(t, "build.failed-boot.json"))
	p.counts(t, commandDone)
	printed := results(t, p.stop(t))
	require.Len(t, printed, 1, "standard output is for results")
	require.Contains(t, p.log.String(), "said by the command")

	require.Equal(t, "args: --verbose now\n", read(t, filepath.Join(dir, "args")))
	var facts map[string]any
	require.NoError(t, json.Unmarshal([]byte(read(t, filepath.Join(dir, "facts"))), &facts))
	require.Equal(t, printed[0], facts)
	env := read(t, filepath.Join(dir, "env"))
	for _, want := range []string{
		"JOBSERV_PROJECT=acme/lmp\n", "JOBSERV_BUILD_ID=71\n", "JOBSERV_STATUS=FAILED\n", "JOBSERV_TRIGGER=platform-main\n",
		"JOBSERV_REASON=Push to main: new kernel\n", "JOBSERV_FAILED_RUNS=boot-arm64\n",
		"JOBSERV_URL=https://ci.example.com/projects/acme/lmp/builds/71\n", "PATH=",
	} {
		require.Contains(t, env, want)
	}
	require.NotContains(t, env, "PRIVATE")
}

func TestFailedCommandIsRetriedWithoutPrintingAgain(t *testing.T) {
	t.Parallel()
	dir := home(t)
	script(t, dir, `echo run >> runs; test "$(wc -l < runs)" -ge 3`)
	p := start(t, dir, "-exec", "./hook.sh")
	p.deliver(t, fixture(t, "build.failed-boot.json"))
	p.counts(t, commandDone)
	require.Equal(t, 1, strings.Count(p.stop(t), "build 71"))
	require.Equal(t, "run\nrun\nrun\n", read(t, filepath.Join(dir, "runs")))
	require.Contains(t, p.log.String(), "./hook.sh: exit status 1")
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
	require.Contains(t, p.log.String(), "timeout after 300ms")
	require.NotEmpty(t, read(t, filepath.Join(dir, "alive")), "the child must have started")
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
	require.NoError(t, p.cmd.Wait())
	require.Equal(t, "started\nfinished\n", read(t, filepath.Join(dir, "runs")))

	again := start(t, dir, "-exec", "./hook.sh")
	again.counts(t, commandDone)
	require.Empty(t, again.stop(t))
	require.Equal(t, "started\nfinished\n", read(t, filepath.Join(dir, "runs")), "the command must not run again")
}

func TestCommandStoppedByShutdownRunsAgain(t *testing.T) {
	t.Parallel()
	dir := home(t)
	script(t, dir, `trap "" TERM; echo run >> runs; while ! test -e go; do sleep 0.05; done`)
	p := start(t, dir, "-exec", "./hook.sh")
	p.deliver(t, fixture(t, "build.failed-boot.json"))
	eventually(t, "the command runs", func() bool { return read(t, filepath.Join(dir, "runs")) != "" })
	require.Equal(t, 1, strings.Count(p.stop(t), "build 71"), "the program must exit with status 0")

	write(t, filepath.Join(dir, "go"), "", 0o600)
	again := start(t, dir, "-exec", "./hook.sh")
	again.counts(t, commandDone)
	require.Empty(t, again.stop(t), "the build must not be printed again")
	require.Equal(t, "run\nrun\n", read(t, filepath.Join(dir, "runs")))
}

func TestCommandRunsAgainAfterKill(t *testing.T) {
	t.Parallel()
	dir := home(t)
	script(t, dir, `echo run >> runs; while ! test -e go; do sleep 0.05; done`)
	p := start(t, dir, "-exec", "./hook.sh")
	p.deliver(t, fixture(t, "build.failed-boot.json"))
	eventually(t, "the command runs", func() bool { return read(t, filepath.Join(dir, "runs")) != "" })
	p.counts(t, `hookhouse_deliveries{state="done",type="jobserv.build"} 1`)
	p.kill(t)
	require.Equal(t, 1, strings.Count(p.out.String(), "build 71"))

	write(t, filepath.Join(dir, "go"), "", 0o600)
	again := start(t, dir, "-exec", "./hook.sh")
	again.counts(t, commandDone)
	require.Empty(t, again.stop(t), "the build must not be printed again")
	require.Equal(t, "run\nrun\n", read(t, filepath.Join(dir, "runs")))
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
	require.NotContains(t, read(t, filepath.Join(dir, "runs")), "72", "the commands of a project run in order")
	write(t, filepath.Join(dir, "go"), "", 0o600)
	p.counts(t, `hookhouse_deliveries{state="done",type="jobserv-ci.result"} 2`)
	p.stop(t)
	require.True(t, strings.HasSuffix(read(t, filepath.Join(dir, "runs")), "71\n72\n"))
}
