package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The module must build alone, and what it builds must know its version.
func TestBuild(t *testing.T) {
	folder := t.TempDir()
	if err := build(folder); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(folder, "docker-compose"), "version", "--short").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got, want := strings.TrimPrefix(strings.TrimSpace(string(out)), "v"), "2.40.3"; got != want {
		t.Fatalf("the version is %q, want %q", got, want)
	}
}
