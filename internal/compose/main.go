// Command compose builds docker compose, the plugin of the docker program, from its
// module:
//
//	go run -C internal/compose . FOLDER
//
// It writes FOLDER/docker-compose and prints what it built and how long that took.
// The first build takes some minutes on two cores, a later one about a second,
// because the go command keeps what it compiles. What it builds lacks builders on
// Kubernetes, which half of the build would be for: a copy of buildx without them, of 4 MB,
// is kept in the user's cache folder.
//
// This module exists for its go.mod, which requires the version and repeats the
// exclude lines of docker compose: "go install" refuses a module that has such
// lines. The tests of examples/dockerhub-deploy run what it builds.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const (
	module = "github.com/docker/compose/v2"
	plugin = module + "/cmd"
	// versionVar is set by the build, as in the module's own Dockerfile.
	versionVar = module + "/internal.Version"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run -C internal/compose . FOLDER")
		os.Exit(2)
	}
	if err := build(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "compose:", err)
		os.Exit(1)
	}
}

// build builds the plugin in a folder, which must exist. The working directory is
// that of this module.
func build(folder string) error {
	start := time.Now()
	required, err := download(module)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "compose")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	modfile, err := withoutKubernetes(dir)
	if err != nil {
		return err
	}
	// Hundreds of packages that run for some seconds are not worth optimizing.
	cmd := exec.Command("go", "build", "-modfile="+modfile, "-gcflags=all=-N -l", "-gcflags=std=",
		"-ldflags=-s -w -X "+versionVar+"="+required.Version, "-o", filepath.Join(folder, "docker-compose"), plugin)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build %s: %w", plugin, err)
	}
	fmt.Printf("docker compose %s, built in %s\n", required.Version, time.Since(start).Round(100*time.Millisecond))
	return nil
}

// withOutput adds what the failed command wrote to its standard error.
func withOutput(err error) error {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return fmt.Errorf("%w\n%s", err, exit.Stderr)
	}
	return err
}
