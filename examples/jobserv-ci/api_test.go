package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
)

const (
	buildTests = "/projects/acme/lmp/builds/71/runs/build-amd64/tests/"
	bootTests  = "/projects/acme/lmp/builds/71/runs/boot-arm64/tests/"
	bootLog    = "/projects/acme/lmp/builds/71/runs/boot-arm64/console.log"
)

// A fakeAPI is a fake of JobServ's API. It serves the build of
// build.failed-boot.json. A test can replace its pages before the first request.
type fakeAPI struct {
	*httptest.Server
	pages        map[string]http.HandlerFunc
	requests     atomic.Int64
	unauthorized atomic.Int64 // requests without the token
}

func newFakeAPI(t *testing.T) *fakeAPI {
	a := &fakeAPI{pages: map[string]http.HandlerFunc{
		buildTests: func(w http.ResponseWriter, r *http.Request) { testList(w, r, "compile", "PASSED") },
		bootTests:  func(w http.ResponseWriter, r *http.Request) { testList(w, r, "boot", "FAILED") },
		bootTests + "boot/": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"status": "success", "data": {"test": {"name": "boot", "status": "FAILED", "context": "rpi4", "results": [
				{"name": "kernel", "context": null, "status": "PASSED", "output": null},
				{"name": "login", "context": "tty1", "status": "FAILED", "output": "no prompt\nfor 60 s"}]}}}`)
		},
		bootLog: func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "U-Boot 2025.01\r\n10%\r100% \x1b[31mloaded\x1b[0m\nKernel panic\x07 - not syncing\n")
		},
	}}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.requests.Add(1)
		if r.Header.Get("OSF-TOKEN") != "token" {
			a.unauthorized.Add(1)
		}
		page := a.pages[r.URL.Path]
		if page == nil {
			http.NotFound(w, r)
			return
		}
		page(w, r)
	}))
	t.Cleanup(a.Close)
	return a
}

func testList(w http.ResponseWriter, r *http.Request, name, status string) {
	fmt.Fprintf(w, `{"status": "success", "data": {"tests": [{"name": %[1]q, "url": "http://%[2]s%[3]s%[1]s/", "status": %[4]q, "context": "rpi4", "created": "2025-06-01T08:13:00+00:00"}]}}`,
		name, r.Host, r.URL.Path, status)
}

// body returns the notification of the build that the fake serves.
func (a *fakeAPI) body(t *testing.T) []byte {
	return bytes.ReplaceAll(fixture(t, "build.failed-boot.json"), []byte("https://api.example.com"), []byte(a.URL))
}

// start runs the program with the fake as its API.
func (a *fakeAPI) start(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	write(t, filepath.Join(dir, "token"), "token\n", 0o600)
	return start(t, dir, append([]string{"-api", a.URL, "-token-file", "token"}, args...)...)
}

// status returns a handler that answers with an error as JobServ does.
func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		fmt.Fprint(w, `{"status": "error", "message": "trouble in the API"}`)
	}
}
