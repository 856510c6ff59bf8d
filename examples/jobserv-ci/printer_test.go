package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file whose size is limited stands for a full disk: it takes a part of a line, and
// then nothing.
func TestLineAfterTornOneBeginsOnANewLine(t *testing.T) {
	t.Parallel()
	const limit = 10 << 20 // far more than the database needs
	dir := home(t)
	out := filepath.Join(dir, "out")
	write(t, out, "", 0o600)
	if err := os.Truncate(out, limit-50); err != nil {
		t.Fatal(err)
	}
	cmd := programIn(t, dir)
	shell := fmt.Sprintf(`ulimit -f %d; exec "$0" -addr 127.0.0.1:0 -json >> out`, limit/512)
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", shell, program}
	p := startCommand(t, cmd)
	p.deliver(t, fixture(t, "build.failed-boot.json"))
	eventually(t, "the disk is full", func() bool { return strings.Contains(p.log.String(), "file too large") })
	if got := read(t, out); len(got) != limit || !strings.HasPrefix(got[limit-50:], `{"project":"acme/lmp","build_id":71,`) {
		t.Fatalf("the output of %d bytes does not end in a torn line", len(got))
	}
	if err := os.Truncate(out, 0); err != nil {
		t.Fatal(err)
	}
	p.counts(t, `hookhouse_attempts_total{state="done",type="jobserv.build"} 1`)
	p.deliver(t, fixture(t, "build.minimal.json"))
	p.counts(t, `hookhouse_attempts_total{state="done",type="jobserv.build"} 2`)
	p.stop(t)
	lines, torn := strings.CutPrefix(read(t, out), "\n")
	if got := results(t, lines); !torn || len(got) != 2 || got[0]["build_id"] != float64(71) || got[1]["build_id"] != float64(1) {
		t.Errorf("after the torn line: %q", read(t, out))
	}
}

func TestJSONLinesCannotControlTheTerminal(t *testing.T) {
	t.Parallel()
	p := start(t, home(t), "-json")
	p.deliver(t, []byte(`{"build_id": 1, "url": "https://x.example/projects/p/builds/1/", "status": "PASSED", "runs": [], "reason": "\u009b31m\u007f\u202e é"}`))
	p.prints(t, `"reason":"\u009b31m\u007f\u202e é"`)
	p.stop(t)
}
