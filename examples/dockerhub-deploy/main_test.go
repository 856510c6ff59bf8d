package main

import (
	"flag"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// bin is a folder with the program and the fake docker, which has no race detector: tests start
// it thousands of times.
var bin string

func TestMain(m *testing.M) {
	var err error
	if bin, err = os.MkdirTemp("", "dockerhub-deploy"); err != nil {
		log.Fatal(err)
	}
	for _, args := range [][]string{{"-o", filepath.Join(bin, "program"), "."}, {"-race=false", "-o", filepath.Join(bin, "docker"), "./testdata/docker"}} {
		if text, err := exec.Command("go", append([]string{"build"}, args...)...).CombinedOutput(); err != nil {
			log.Fatalf("%v\n%s", err, text)
		}
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		log.Fatal(err)
	}
	code := m.Run()
	stopEngineRig()
	_ = os.RemoveAll(bin)
	os.Exit(code)
}

const token = "4f1d2c3b5a69788796a5b4c3d2e1f00f"

// waitTimeout is the timeout of all waits in tests.
const waitTimeout = 3 * time.Minute

type writer func(p []byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }
