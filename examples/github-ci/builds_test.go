package main

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheNewestBuildsAreListedFromTheFirstOn(t *testing.T) {
	t.Parallel()
	s, err := openStore(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	require.NoError(t, err)
	t.Cleanup(s.close)
	// How ids sort is the database's affair: under the rules of most languages
	// letters and digits come after every sign, as the last one does here.
	ids := []string{"0a", "0b", "f0", "\U0010ffff"}
	for _, id := range ids {
		b := build{ID: id, Repository: "acme/app", Ref: "refs/heads/" + id, Received: time.Now()}
		require.NoError(t, s.begin(t.Context(), &b, reporter{}))
	}
	list := func(before string, n int) (found []string) {
		all, err := s.newest(t.Context(), before, n)
		require.NoError(t, err)
		for _, b := range all {
			found = append(found, b.ID)
		}
		return found
	}
	slices.Reverse(ids)
	require.Equal(t, ids, list("", 10))
	require.Equal(t, ids[:2], list("", 2))
	require.Equal(t, ids[2:], list(ids[1], 2))
}
