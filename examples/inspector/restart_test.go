package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestBinsAndCapturesSurviveARestart(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "bins.db")
		restart(t, file)
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
	})
	stop, err := startPostgres()
	switch {
	case errors.Is(err, errNoPostgres) && os.Getenv("CI") != "true":
		fmt.Println("left out: the tests of inspector on", err)
		return
	case err != nil:
		t.Fatal(err)
	}
	defer stop()
	t.Run("PostgreSQL", func(t *testing.T) { restart(t, postgresURL) })
}

// restart makes bins and captures, and looks at them after a restart.
func restart(t *testing.T, database string) {
	t.Helper()
	dir := t.TempDir()
	args := []string{"-db", database, "-max-captures", "2"}
	p := startWith(t, dir, nil, args...)
	if got := form(t, p.url, "name", "demo", "status", "418", "headers", "X-A: 1", "body", "tea"); got.status != 303 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	form(t, p.url, "name", "gone")
	form(t, p.url, "name", "gone", "do", "delete")
	for range 2 {
		send(t, "POST", p.url+"/in/demo", "x")
	}
	before := listAt(t, p.url, "")
	p.stop(t, syscall.SIGTERM)
	p = startWith(t, dir, nil, args...)
	if after := listAt(t, p.url, ""); len(after) != 2 || after[0].UID != before[0].UID {
		t.Errorf("after the restart: %v", after)
	}
	settleAt(t, p.url)
	if got := send(t, "POST", p.url+"/in/demo", "y"); got.status != 418 || got.body != "tea" || got.header.Get("X-A") != "1" {
		t.Errorf("after the restart: %+v", got)
	}
	if got := send(t, "POST", p.url+"/in/gone", "y"); got.status != 404 {
		t.Errorf("a deleted bin: %d", got.status)
	}
	if last := listAt(t, p.url, ""); len(last) != 2 || last[1].UID != before[0].UID {
		t.Errorf("the limit after the restart: %v", last)
	}
	p.stop(t, syscall.SIGTERM)
}
