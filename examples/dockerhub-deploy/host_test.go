package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
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
	require.NoError(h.t, json.Unmarshal([]byte(h.read("state.json")), &state))
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
	require.Equal(h.t, []string{container}, slices.Sorted(maps.Keys(all)))
	c := all[container]
	require.True(h.t, c.State.Running, "%s does not run", container)
	require.Equal(h.t, h.repository()+":"+tag+"@"+digest, c.Config.Image)
	return c
}

// requireUntouched checks that the only container is the one from before, and that
// it runs.
func (h *host) requireUntouched(before containerStatus) {
	h.t.Helper()
	all := h.containers()
	require.Equal(h.t, []string{strings.TrimPrefix(before.Name, "/")}, slices.Sorted(maps.Keys(all)))
	for _, c := range all {
		require.Equal(h.t, before.ID, c.ID)
		require.True(h.t, c.State.Running, "the old container does not run")
	}
}

// releaseHold continues the command that a fault holds.
func (h *host) releaseHold() {
	h.t.Helper()
	require.NoError(h.t, os.WriteFile(filepath.Join(h.dir, "go"), nil, 0o600))
}
