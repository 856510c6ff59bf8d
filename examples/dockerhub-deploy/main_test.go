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

// bin is a folder with the fake docker and the program, which is built with the flags of the tests
// and, as program.plain, without the race detector, which makes it start slowly.
var bin string

func TestMain(m *testing.M) {
	var err error
	if bin, err = os.MkdirTemp("", "dockerhub-deploy"); err != nil {
		log.Fatal(err)
	}
	for _, b := range []struct {
		out, pkg string
		flags    []string
	}{{"program", ".", buildFlags}, {"program.plain", ".", nil}, {"docker", "./testdata/docker", nil}} {
		build := exec.Command("go", append(append([]string{"build"}, b.flags...), "-o", filepath.Join(bin, b.out), b.pkg)...)
		if text, err := build.CombinedOutput(); err != nil {
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
