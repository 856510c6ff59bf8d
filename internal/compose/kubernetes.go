package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	buildx = "github.com/docker/buildx"
	// driver is a package of buildx that compose imports for its init function alone,
	// which registers builders on Kubernetes.
	driver = "driver/kubernetes"
)

// withoutKubernetes makes a copy of buildx in dir, with an empty driver, and returns the
// go.mod file that requires it.
func withoutKubernetes(dir string) (modfile string, err error) {
	original, err := download(buildx)
	if err != nil {
		return "", err
	}
	replaced := filepath.Join(dir, "buildx")
	if err := os.CopyFS(replaced, os.DirFS(original.Dir)); err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(replaced, driver, "*.go"))
	if err != nil {
		return "", err
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil {
			return "", err
		}
	}
	empty := filepath.Join(replaced, driver, "empty.go")
	if err := os.WriteFile(empty, []byte("package "+filepath.Base(driver)+"\n"), 0o600); err != nil {
		return "", err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return "", err
		}
	}
	modfile = filepath.Join(dir, "go.mod")
	if _, err := exec.Command("go", "mod", "edit", "-replace="+buildx+"="+replaced, modfile).Output(); err != nil {
		return "", fmt.Errorf("go mod edit: %w", withOutput(err))
	}
	return modfile, nil
}

// A downloaded is a module that go.mod requires, in the module cache.
type downloaded struct{ Version, Dir string }

func download(module string) (d downloaded, err error) {
	out, err := exec.Command("go", "mod", "download", "-json", module).Output()
	if err != nil {
		return d, fmt.Errorf("go mod download: %w", withOutput(err))
	}
	if err := json.Unmarshal(out, &d); err != nil {
		return d, fmt.Errorf("go mod download: %w", err)
	}
	return d, nil
}
