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

// withoutKubernetes returns a go.mod file in dir that requires a copy of buildx with an
// empty driver.
func withoutKubernetes(dir string) (modfile string, err error) {
	replaced, err := emptied(dir)
	if err != nil {
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

// emptied returns the copy, which it makes once. It is where the user's caches are, because
// the go command compiles what has moved anew, or in dir if the user has none.
func emptied(dir string) (string, error) {
	original, err := download(buildx)
	if err != nil {
		return "", err
	}
	caches, err := os.UserCacheDir()
	if err != nil {
		caches = dir
	}
	replaced := filepath.Join(caches, "hookhouse", "buildx-without-kubernetes@"+original.Version)
	if _, err := os.Stat(replaced); err == nil {
		return replaced, nil
	}
	if err := os.MkdirAll(filepath.Dir(replaced), 0o700); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(filepath.Dir(replaced), "new")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(fresh) }()
	if err := os.CopyFS(fresh, os.DirFS(original.Dir)); err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(fresh, driver, "*.go"))
	if err != nil {
		return "", err
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil {
			return "", err
		}
	}
	empty := filepath.Join(fresh, driver, "empty.go")
	if err := os.WriteFile(empty, []byte("package "+filepath.Base(driver)+"\n"), 0o600); err != nil {
		return "", err
	}
	err = os.Rename(fresh, replaced)
	if _, other := os.Stat(replaced); other == nil {
		return replaced, nil // also if another process has made it meanwhile
	}
	return "", err
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
