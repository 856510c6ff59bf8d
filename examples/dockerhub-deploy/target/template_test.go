package target

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// recorded returns an Engine whose docker program answers as docker 20.10 or 28.2 did
// with an engine 20.10.24: see testdata.
func recorded(t *testing.T, version string) *Engine {
	t.Helper()
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "docker")
	text := fmt.Sprintf("#!/bin/sh\ncase \"$1\" in create) cat '%[1]s/help-%[2]s.txt';; *) cat \"%[1]s/$1-20.10.json\";; esac\n", dir, version)
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	docker, err := NewCommand(script, time.Minute, "PATH")
	if err != nil {
		t.Fatal(err)
	}
	return NewEngine(docker, time.Minute, time.Second, slog.New(slog.DiscardHandler))
}

func TestPrintOptionsOfAContainerOfEngine20(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := PrintOptions(t.Context(), recorded(t, "20.10"), &out, "fancy"); err != nil {
		t.Fatal(err)
	}
	want := `# Options of the container fancy, made by -print-options. Check each line.
# NOT WRITTEN: --env, whose value has several lines: "TWO=lines\nhere"
# NOT WRITTEN: the health check {"Test":["CMD-SHELL","/app check"]}: see --health-cmd and so on
# NOT WRITTEN: Devices [{"CgroupPermissions":"rwm","PathInContainer":"/dev/null","PathOnHost":"/dev/null"}]
# NOT WRITTEN: Ulimits [{"Hard":200,"Name":"nofile","Soft":100}]
# NOT WRITTEN: the volume without a name at /anon: a new container gets a new one; copy the data to a named volume
--name fancy
--env A=b
--env M=x y
--expose 90/tcp
--label team=x
--stop-timeout 3
--user 1000
--volume /srv/data:/x:ro
--cap-drop ALL
--add-host a:1.2.3.4
--init false
--memory 67108864
--memory-swap 134217728
--memory-swappiness 0
--cpus 0.5
--network none
--publish 127.0.0.1:80:90/tcp
--read-only true
--restart on-failure:3
--security-opt no-new-privileges
--tmpfs /t:size=1m
--hostname h
--
serve
a b
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("the options (-want +got):\n%s", diff)
	}
	// What it prints is a file of options.
	file := filepath.Join(t.TempDir(), "fancy.options")
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"20.10", "28.2"} {
		if c, err := NewContainer(recorded(t, version), file); err != nil || c.Name() != "fancy" {
			t.Errorf("with docker %s: %v", version, err)
		}
	}
}

func TestOptionsOfAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	write("secrets", "PASSWORD=1")
	file := write("web.options", "# a comment\n\n--name=web\n-p 80:80\n--env A=b  c\n--env INHERITED\n--init\n--tty=false\n--env-file secrets\n--network container:db\n--volumes-from data:ro\n--\n\n# an argument\r\n")
	known, err := readKnownOptions(t.Context(), recorded(t, "28.2").Docker)
	if err != nil {
		t.Fatal(err)
	}
	got, err := readOptions(file, known)
	if err != nil {
		t.Fatal(err)
	}
	want := &options{name: "web", dir: dir, hash: got.hash, env: "A=b  c\n", joins: []string{"db"}, refers: []string{"db", "data"}, command: []string{"", "# an argument"},
		flags: []string{"--publish=80:80", "--env=INHERITED", "--init=true", "--tty=false", "--env-file=" + filepath.Join(dir, "secrets"), "--network=container:db", "--volumes-from=data:ro"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(options{})); diff != "" {
		t.Errorf("the options (-want +got):\n%s", diff)
	}
	write("secrets", "PASSWORD=2")
	if again, err := readOptions(file, known); err != nil || again.hash == got.hash {
		t.Errorf("%v: the hash does not change with a file that the options name", err)
	}
}

func TestCommandOutputIsBounded(t *testing.T) {
	t.Parallel()
	c, err := NewCommand("sh", time.Minute, "PATH")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err = c.Run(context.Background(), "", "-c", "yes | head -c 100000000"); err == nil {
		t.Error("an output of 100 MB is accepted")
	}
	_, tail, err := c.Run(t.Context(), "", "-c", "yes 1234567 | head -c 9000 >&2; echo end >&2; exit 3")
	if err == nil || len(tail) > maxTail || !strings.HasSuffix(tail, "end") {
		t.Errorf("%v: the end of the errors has %d bytes", err, len(tail))
	}
}
