package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// local are the flags with which webhooks may be on this host.
var local = []string{"-allow", "127.0.0.0/8", "-insecure-http"}

// worker starts a process that only sends, and kills it at the end of the test.
func worker(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, append(append([]string{"-worker"}, local...), args...)...)
	cmd.Dir, cmd.Env = dir, []string{}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// onEachDatabase runs a test with the -db of a SQLite file, and with that of a PostgreSQL server
// if that is installed.
func onEachDatabase(t *testing.T, test func(t *testing.T, database string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "guestbook.db")) })
	stop, err := startPostgres()
	switch {
	case errors.Is(err, errNoPostgres) && os.Getenv("CI") != "true":
		fmt.Println("left out: the tests of guestbook on", err)
		return
	case err != nil:
		t.Fatal(err)
	}
	defer stop()
	t.Run("PostgreSQL", func(t *testing.T) { test(t, postgresURL) })
}

// One process serves the pages, and two send. Each comment arrives, also if a process is
// killed.
func TestProcessThatServesAndProcessesThatSend(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, database string) {
		dir := t.TempDir()
		pages := startWith(t, dir, []string{passwordName + "=" + secret}, append([]string{"-web", "-db", database}, local...)...)
		g, to := &rig{url: pages.url}, newSink(t)
		page, key := g.add(t, to.url)
		const comments = 20
		for i := range comments / 2 { // nobody sends yet
			g.leave(t, fmt.Sprintf("comment %d.", i))
		}
		if n := len(to.received()); n > 0 {
			t.Errorf("a process with -web has sent %d", n)
		}
		first := worker(t, dir, "-db", database)
		worker(t, dir, "-db", database)
		to.next(t, 0)
		for i := comments / 2; i < comments; i++ {
			g.leave(t, fmt.Sprintf("comment %d.", i))
		}
		arrived := func() map[string]bool {
			ids := make(map[string]bool)
			for _, r := range to.received() {
				ids[r.header.Get("Webhook-Id")] = true
			}
			return ids
		}
		eventually(t, "every comment", func() bool { return len(arrived()) == comments })
		for _, r := range to.received() {
			if !verifies(t, r, key) {
				t.Errorf("%s does not verify", r.body)
			}
		}
		eventually(t, "a list of them", func() bool {
			return strings.Count(g.get(t, page+"/deliveries").body, `<span class="state delivered">`) >= comments
		})

		if err := first.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		g.leave(t, "after the kill")
		eventually(t, "the comment after the kill", func() bool { return len(arrived()) == comments+1 })
		pages.stop(t, syscall.SIGTERM)
	})
}

// A comment whose page was answered is sent, whenever the process is killed.
func TestCommentsSurviveKills(t *testing.T) {
	t.Parallel() // the killed process holds its leases for half a minute
	dir, env := t.TempDir(), []string{passwordName + "=" + secret}
	p := startWith(t, dir, env, local...)
	g, to := &rig{url: p.url}, newSink(t)
	g.add(t, to.url)
	const comments = 6
	for i := range comments {
		g.leave(t, fmt.Sprintf("comment %d.", i))
		p.stop(t, syscall.SIGKILL)
		p = startWith(t, dir, env, local...)
		g.url = p.url
	}
	eventually(t, "every comment", func() bool {
		seen := make(map[string]bool)
		for _, r := range to.received() {
			seen[r.header.Get("Webhook-Id")] = true
		}
		return len(seen) == comments
	})
	body := g.get(t, "/").body
	for i := range comments {
		if n := strings.Count(body, fmt.Sprintf(">comment %d.<", i)); n != 1 {
			t.Errorf("comment %d is there %d times", i, n)
		}
	}
	p.stop(t, syscall.SIGTERM)
}

func TestHealthHasAnAddressOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	if out, err := execute(t, dir, nil, "-worker", "-admin-addr", "nowhere"); err == nil || !strings.Contains(out, "nowhere") {
		t.Errorf("%v %s", err, out)
	}
	p := startWith(t, dir, []string{passwordName + "=" + secret}, "-admin-addr", "127.0.0.1:0")
	var admin string
	for _, line := range p.log {
		if _, url, ok := strings.Cut(line, "admin="); ok {
			admin = url
		}
	}
	for path, want := range map[string]int{admin + "/healthz": 200, admin + "/metrics": 200, p.url + "/healthz": 404, p.url + "/metrics": 404} {
		resp, err := http.Get(path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
	p.stop(t, syscall.SIGTERM)
}
