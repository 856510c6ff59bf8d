package main

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestNewestBuilds(t *testing.T) {
	t.Parallel()
	s, err := openStore(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	require.NoError(t, err)
	t.Cleanup(s.close)
	// The collation of the database determines how ids sort. In most languages
	// letters and digits sort after all other characters, as the last id does here.
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

// newBuilder returns a builder that has a store but cannot build.
func newBuilder(t *testing.T) *builder {
	t.Helper()
	files, err := openData(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(files.close)
	s, err := openStore(t.Context(), filepath.Join(files.dir, "x.db"))
	require.NoError(t, err)
	t.Cleanup(s.close)
	return &builder{store: s, data: files, logs: newLogs(files.logs(), 1<<10)}
}

func TestBuildThatKillsTheProgramIsSuspect(t *testing.T) {
	t.Parallel()
	b := newBuilder(t)
	s := b.store
	require.NoError(t, s.Put(t.Context(), webhook.NewDelivery("github", "github.push", "acme/app refs/heads/main", []byte("{}"))))
	claim := func() webhook.Claim {
		for {
			claims, err := s.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Millisecond})
			require.NoError(t, err)
			if len(claims) > 0 {
				return claims[0]
			}
		}
	}
	for range 2 {
		c := claim()
		require.False(t, c.Suspect)
		one := build{ID: c.Delivery.UID, Repository: "acme/app", Ref: "refs/heads/main", Received: time.Now()}
		require.NoError(t, s.begin(t.Context(), &one, reporter{}))
		require.NoError(t, b.recover(t.Context())) // as in the next process
	}
	require.True(t, claim().Suspect, "two runs were lost")
}

func TestInterruptedBuildWithoutDeliveryEnds(t *testing.T) {
	t.Parallel()
	b := newBuilder(t)
	s := b.store
	one := build{ID: "orphan", Repository: "acme/app", Ref: "refs/heads/main", Received: time.Now()}
	require.NoError(t, s.begin(t.Context(), &one, reporter{}))
	require.NoError(t, b.recover(t.Context()))
	got, ok, err := s.get(t.Context(), "orphan")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, errored, got.State)
	require.Equal(t, "cannot run again: its delivery was deleted", got.Detail)
}
