package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// execute runs the program until it exits.
func execute(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // if it starts although it must not
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = t.TempDir(), env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestInvalidStart(t *testing.T) {
	good := []string{passwordName + "=" + secret}
	for _, tt := range []struct {
		name string
		env  []string
		args []string
		says string
	}{
		{"all interfaces without a password", nil, []string{"-addr", ":0"}, "-addr :0 can be reached from other machines, and " + passwordName + " is not set"},
		{"another interface without a password", nil, []string{"-addr", "192.0.2.1:80"}, "can be reached from other machines"},
		{"a name without a password", nil, []string{"-addr", "example.com:80"}, "can be reached from other machines"},
		{"a check of it", nil, []string{"-check", "-addr", ":0"}, "can be reached from other machines"},
		{"a short password", []string{passwordName + "=Aq7"}, nil, passwordName + ": secret 1 of 1 has fewer than 16 characters"},
		{"a missing file", []string{passwordName + "_FILE=/nowhere"}, []string{"-addr", ":0"}, passwordName + "_FILE: open /nowhere"},
		{"an unknown flag", good, []string{"-password", "x"}, "not defined: -password"},
		{"an argument", good, []string{"x"}, "unexpected argument"},
		{"a database in a missing folder", good, []string{"-db", "nowhere/x.db"}, "nowhere/x.db: no such file"},
		{"a check of it", good, []string{"-check", "-db", "nowhere/x.db"}, "-db: no file can be created in nowhere"},
		{"an invalid address", good, []string{"-addr", "nowhere"}, "-addr: "},
		{"an invalid address of bins", good, []string{"-in-addr", "nowhere"}, "-in-addr: "},
		{"a large body", good, []string{"-max-body", "26214401"}, "-max-body is 26214401"},
		{"little room", good, []string{"-max-bytes", "1000000"}, "-max-bytes is 1000000, less than"},
		{"no bins", good, []string{"-max-bins", "0"}, "-max-bins is 0"},
		{"no captures", good, []string{"-max-captures", "1"}, "-max-captures is 1"},
		{"no calls", good, []string{"-rate", "0"}, "-rate is 0"},
		{"a long life", good, []string{"-expire", "721h"}, "-expire is 721h"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := execute(t, tt.env, tt.args...)
			if err == nil || !strings.Contains(out, tt.says) || strings.Contains(out, secret) {
				t.Errorf("%v, output %s, want an error with %q and no secret", err, out, tt.says)
			}
		})
	}
}

func TestHelpVersionAndCheck(t *testing.T) {
	for arg, want := range map[string]string{"-help": passwordName + "_FILE", "-version": name + " ", "-check": "are fine"} {
		out, err := execute(t, []string{passwordName + "=" + secret}, arg, "-db", "x.db")
		if err != nil || !strings.Contains(out, want) || strings.Contains(out, secret) {
			t.Errorf("%s: %v, %s, want %q", arg, err, out, want)
		}
	}
}

func TestAPasswordIsNeededForThePagesAndNotForBins(t *testing.T) {
	p := startWith(t, t.TempDir(), []string{passwordName + "=another password\n" + secret}, "-open")
	for _, tt := range []struct {
		path, user, password string
		status               int
	}{
		{"/", "", "", 401},
		{"/bins", "", "", 401},
		{"/style.css", "", "", 401},
		{"/bins.css", "", "", 401},
		{"/bins.css", "", secret, 200},
		{"/api/deliveries", "ops", "wrong", 401},
		{"/", "", "", 401},
		{"/", "ops", secret, 200},
		{"/bins", "", "another password", 200},
		{"/in/demo", "", "", 200},
		{"/in/demo", "ops", secret, 200},
		{"/healthz", "", "", 200},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", p.url+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if tt.password != "" {
			r.SetBasicAuth(tt.user, tt.password)
		}
		status := 0
		eventually(t, "an answer", func() bool {
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			status = resp.StatusCode
			return status != 503 // the worker may begin after the server
		})
		if status != tt.status {
			t.Errorf("%s as %q: %d, want %d", tt.path, tt.user, status, tt.status)
		}
	}
	p.stop(t, syscall.SIGTERM)
	if log := strings.Join(p.log, "\n"); strings.Contains(log, secret) || !strings.Contains(log, "live=2") {
		t.Errorf("the log: %s", log)
	}
}

// A safeBuffer is safe for concurrent use.
type safeBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// after returns the word after a text in what was written, empty if it was not.
func (b *safeBuffer) after(text string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, rest, _ := strings.Cut(b.text.String(), text)
	word, _, _ := strings.Cut(rest, "\n")
	return word
}

func TestBinsHaveAnAddressOfTheirOwn(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var log safeBuffer
	ended := make(chan error, 1)
	go func() {
		args := []string{"-addr", "127.0.0.1:0", "-open", "-in-addr", "127.0.0.1:0"}
		ended <- run(ctx, args, func(string) string { return "" }, io.Discard, &log)
	}()
	eventually(t, "the last address", func() bool { return log.after("listening url=") != "" })
	pages, in := log.after("listening url="), strings.TrimSuffix(log.after("listening in="), binPath)
	for url, want := range map[string]int{
		in + "/in/demo": 200, in + "/": 404, in + "/bins": 404, in + "/healthz": 404,
		pages + "/in/demo": 404, pages + "/": 200, pages + "/bins": 200, pages + "/healthz": 200,
	} {
		if got := send(t, "GET", url, ""); got.status != want {
			t.Errorf("%s: %d, want %d", url, got.status, want)
		}
	}
	if list := listAt(t, pages, ""); len(list) != 1 {
		t.Errorf("captured %v", list)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAShutdownAnswersWhatIsDelayed(t *testing.T) {
	p := start(t, t.TempDir())
	form(t, p.url, "name", "slow", "delay", "30s", "body", "late")
	answered := make(chan reply, 1)
	go func() { answered <- send(t, "POST", p.url+"/in/slow", "x") }()
	eventually(t, "the capture", func() bool { return len(listAt(t, p.url, "")) == 1 })
	p.stop(t, syscall.SIGTERM)
	if got := <-answered; got.status != 200 || got.body != "late" {
		t.Errorf("answered %+v", got)
	}
}

// A caller who sends slowly does not delay a shutdown.
func TestAShutdownEndsABodyThatDoesNotArrive(t *testing.T) {
	p := start(t, t.TempDir())
	form(t, p.url, "name", "demo")
	c, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "POST /in/demo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	from := bufio.NewReader(c)
	if line, err := from.ReadString('\n'); !strings.Contains(line, " 100 ") { // the body is being read
		t.Fatalf("%q, %v", line, err)
	}
	p.stop(t, syscall.SIGTERM)
	rest, _ := io.ReadAll(from)
	if !strings.Contains(string(rest), " 503 ") || !strings.Contains(string(rest), "The program ended") {
		t.Errorf("answered %q", rest)
	}
}

// A worker of this program would settle the deliveries of another one.
func TestTheDatabaseOfAnotherProgramIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "other.db")
	db, err := openStore(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Put(t.Context(), delivery()); err != nil {
		t.Fatal(err)
	}
	db.close()
	out, err := execute(t, nil, "-addr", "127.0.0.1:0", "-db", file)
	if err == nil || !strings.Contains(out, "of another program") {
		t.Errorf("%v %s", err, out)
	}
}

func TestAddressesOfThisMachineAreKnown(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:1": true, "[::1]:1": true, "localhost:1": true, "127.9.9.9:1": true, "[::ffff:127.0.0.1]:1": true,
		":1": false, "0.0.0.0:1": false, "[::]:1": false, "10.0.0.1:1": false, "localhost.example.com:1": false,
	} {
		host, _, err := net.SplitHostPort(addr)
		if got := isLoopback(host); err != nil || got != want {
			t.Errorf("%s: %t, %v", addr, got, err)
		}
	}
}
