package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// A containerStatus is the state of one container in the fake docker.
type containerStatus struct {
	ID, Name string
	State    struct {
		Running bool
		Health  *struct{ Status string }
	}
	Config struct{ Image string }
	Image  string
}

// containers returns all containers by name.
func (h *host) containers() map[string]containerStatus {
	h.t.Helper()
	var state struct{ Containers []containerStatus }
	if err := json.Unmarshal([]byte(h.read("state.json")), &state); err != nil {
		h.t.Fatal(err)
	}
	all := make(map[string]containerStatus)
	for _, c := range state.Containers {
		all[strings.TrimPrefix(c.Name, "/")] = c
	}
	return all
}

// requireOnly checks that a container is the only one, and that it runs the image
// with the tag and the digest.
func (h *host) requireOnly(container, tag, digest string) containerStatus {
	h.t.Helper()
	all := h.containers()
	if diff := cmp.Diff([]string{container}, slices.Sorted(maps.Keys(all))); diff != "" {
		h.t.Fatalf("slices.Sorted(maps.Keys(all)) (-want +got):\n%s", diff)
	}
	c := all[container]
	if !c.State.Running {
		h.t.Fatalf("%s does not run: c.State.Running is false, want true", container)
	}
	if c.Config.Image != h.repository()+":"+tag+"@"+digest {
		h.t.Fatalf("c.Config.Image = %q, want %q", c.Config.Image, h.repository()+":"+tag+"@"+digest)
	}
	return c
}

// requireUntouched checks that the only container is the one from before, and that
// it runs.
func (h *host) requireUntouched(before containerStatus) {
	h.t.Helper()
	all := h.containers()
	if diff := cmp.Diff([]string{strings.TrimPrefix(before.Name, "/")}, slices.Sorted(maps.Keys(all))); diff != "" {
		h.t.Fatalf("slices.Sorted(maps.Keys(all)) (-want +got):\n%s", diff)
	}
	for _, c := range all {
		if c.ID != before.ID {
			h.t.Fatalf("c.ID = %q, want %q", c.ID, before.ID)
		}
		if !c.State.Running {
			h.t.Fatal("the old container does not run: c.State.Running is false, want true")
		}
	}
}

// releaseHold continues the command that a fault holds.
func (h *host) releaseHold() {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, "go"), nil, 0o600); err != nil {
		h.t.Fatal(err)
	}
}
