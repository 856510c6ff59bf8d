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

// A status is what docker knows of one container.
type status struct {
	ID, Name string
	State    struct {
		Running bool
		Health  *struct{ Status string }
	}
	Config struct{ Image string }
	Image  string
}

// containers returns all, by name.
func (h *host) containers() map[string]status {
	h.t.Helper()
	var state struct{ Containers []status }
	require.NoError(h.t, json.Unmarshal([]byte(h.read("state.json")), &state))
	all := make(map[string]status)
	for _, c := range state.Containers {
		all[strings.TrimPrefix(c.Name, "/")] = c
	}
	return all
}

// requireOnly checks that there is one container of that name, and that it runs
// the image with the tag and the digest.
func (h *host) requireOnly(container, tag, digest string) status {
	h.t.Helper()
	all := h.containers()
	require.Equal(h.t, []string{container}, slices.Sorted(maps.Keys(all)))
	c := all[container]
	require.True(h.t, c.State.Running, "%s does not run", container)
	require.Equal(h.t, h.repository()+":"+tag+"@"+digest, c.Config.Image)
	return c
}

// requireUntouched checks that there is one container, the one from before.
func (h *host) requireUntouched(before status) {
	h.t.Helper()
	all := h.containers()
	require.Equal(h.t, []string{strings.TrimPrefix(before.Name, "/")}, slices.Sorted(maps.Keys(all)))
	for _, c := range all {
		require.Equal(h.t, before.ID, c.ID)
		require.True(h.t, c.State.Running, "the old one does not run")
	}
}

// release lets go what a fault holds.
func (h *host) release() {
	h.t.Helper()
	require.NoError(h.t, os.WriteFile(filepath.Join(h.dir, "go"), nil, 0o600))
}
