package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// A terminal is the person's side of a pseudo terminal.
type terminal struct {
	*os.File
	other *os.File // the program's side
}

func newTerminal(t *testing.T) terminal {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	var number, unlock int32
	for request, arg := range map[uintptr]*int32{syscall.TIOCSPTLCK: &unlock, syscall.TIOCGPTN: &number} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, person.Fd(), request, uintptr(unsafe.Pointer(arg))); errno != 0 {
			t.Fatal(errno)
		}
	}
	program, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	return terminal{person, program}
}

// onTerminal runs the program on a terminal where a person types text, and returns its
// exit code and what the terminal shows.
func onTerminal(t *testing.T, env []string, text string, args ...string) (int, string) {
	t.Helper()
	tty := newTerminal(t)
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append([]string{"USER=oncall", "TERM=xterm"}, env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty.other, tty.other, tty.other
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(tty, text); err != nil {
		t.Fatal(err)
	}
	_ = tty.other.Close()
	shown, _ := io.ReadAll(tty) // ends with an error when the program closes its side
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode(), strings.ReplaceAll(string(shown), "\r\n", "\n")
}

func TestColorsOnATerminalOnly(t *testing.T) { onEachDatabase(t, testColorsOnATerminalOnly) }

func testColorsOnATerminalOnly(t *testing.T, r *rig) {
	r.dead(t, "github.push", "acme/app", "no")
	const red = "\x1b[31mdead"
	for _, args := range [][]string{{"list", "-db", r.database}, {"show", "-db", r.database, objects[record](t, succeed(t, "list", "-json", "-db", r.database))[0].UID}} {
		if _, shown := onTerminal(t, nil, "", args...); !strings.Contains(shown, red) {
			t.Errorf("%s on a terminal: %q", args[0], shown)
		}
		for _, env := range []string{"NO_COLOR=1", "TERM=dumb"} {
			if _, shown := onTerminal(t, []string{env}, "", args...); strings.Contains(shown, "\x1b") || !strings.Contains(shown, "dead") {
				t.Errorf("%s with %s: %q", args[0], env, shown)
			}
		}
		if out := succeed(t, args...); strings.Contains(out, "\x1b") {
			t.Errorf("%s elsewhere: %q", args[0], out)
		}
	}
	if _, shown := onTerminal(t, nil, "", "list", "-json", "-db", r.database); strings.Contains(shown, "\x1b") {
		t.Errorf("-json has colors: %q", shown)
	}
}

func TestBodyOnATerminalIsEscaped(t *testing.T) { onEachDatabase(t, testBodyOnATerminalIsEscaped) }

func testBodyOnATerminalIsEscaped(t *testing.T, r *rig) {
	d := webhook.NewDelivery("github", "github.push", "", []byte("{\"a\":\t1}\r\n\x1b[2J"))
	if err := r.inbox.Put(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if _, shown := onTerminal(t, nil, "", "show", "-body", d.UID, "-db", r.database); strings.Contains(shown, "\x1b") || !strings.Contains(shown, `\x1b[2J`) {
		t.Errorf("shown %q", shown)
	}
}

func TestQuestionOnATerminal(t *testing.T) {
	for _, tt := range []struct {
		typed string
		code  int
		state webhook.State
		says  string
	}{
		{"y\n", 0, webhook.Waiting, "replayed 2 deliveries\n"},
		{"yes\n", 0, webhook.Waiting, "replayed 2 deliveries\n"},
		{"n\n", exitFailed, webhook.Dead, "nothing was changed"},
		{"\n", exitFailed, webhook.Dead, "nothing was changed"},
		{"\x04", exitFailed, webhook.Dead, "nothing was changed"}, // Ctrl-D
	} {
		r := newRig(t)
		a, b := r.dead(t, "github.push", "a", "no"), r.dead(t, "github.push", "b", "no")
		code, shown := onTerminal(t, nil, tt.typed, "replay", "-state", "dead", "-db", r.database)
		if code != tt.code || !strings.Contains(shown, "2 deliveries match: 2 dead github.push\nreplay 2 deliveries? [y/N] ") || !strings.Contains(shown, tt.says) {
			t.Errorf("%q: exit %d, %q", tt.typed, code, shown)
		}
		if d := cmp.Diff([]webhook.State{tt.state, tt.state}, r.states(t, a, b)); d != "" {
			t.Errorf("%q: -want +got\n%s", tt.typed, d)
		}
	}
}

// What arrives while the person reads the question is not part of the answer.
func TestGiveUpEndsOnlyWhatItHasCounted(t *testing.T) {
	r := newRig(t)
	first, second := r.put(t, "github.push", "a"), r.put(t, "github.push", "b")
	tty := newTerminal(t)
	cmd := exec.CommandContext(t.Context(), program, "give-up", "-type", "github.push", "-db", r.database)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty.other, tty.other, tty.other
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = tty.other.Close()
	shown := ""
	for part := make([]byte, 512); !strings.HasSuffix(shown, "[y/N] "); {
		n, err := tty.Read(part)
		if err != nil {
			t.Fatalf("%v after %q", err, shown)
		}
		shown += string(part[:n])
	}
	r.settle(t, first, webhook.Outcome{State: webhook.Done})
	late := r.put(t, "github.push", "c")
	if _, err := io.WriteString(tty, "y\n"); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(tty)
	if err := cmd.Wait(); err != nil || !strings.Contains(string(rest), "gave up 1 delivery") || !strings.Contains(string(rest), "1 delivery skipped") {
		t.Errorf("%v: %q%q", err, shown, rest)
	}
	if d := cmp.Diff([]webhook.State{"done", "dead", "waiting"}, r.states(t, first, second, late)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// A timer has a terminal on none of its files, and /dev/null is a device too.
func TestNobodyIsAskedWithoutATerminal(t *testing.T) {
	r := newRig(t)
	r.dead(t, "github.push", "a", "no")
	r.dead(t, "github.push", "b", "no")
	tty := newTerminal(t)
	cmd := exec.CommandContext(t.Context(), program, "replay", "-state", "dead", "-db", r.database)
	cmd.Stderr = tty.other // standard input is /dev/null
	err := cmd.Run()
	_ = tty.other.Close()
	if shown, _ := io.ReadAll(tty); cmd.ProcessState.ExitCode() != exitUsage || !strings.Contains(string(shown), "set -yes") {
		t.Errorf("%v: %q", err, shown)
	}
}
