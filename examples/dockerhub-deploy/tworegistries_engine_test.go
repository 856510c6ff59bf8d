//go:build linux

package main

import (
	"slices"
	"strings"
	"testing"
)

// pullFromOther makes the image of a digest known from a second registry, where its
// digest is that of an index. So the engine has two digests of one image.
func (s *site) pullFromOther(version string, digest string) {
	s.t.Helper()
	img := s.image(version, quickHealth())
	index := s.rig.other.pushIndex(s.t, s.repository, "latest", img)
	s.docker("pull", "--quiet", s.rig.other.addr+"/"+s.repository+":latest")
	var found struct{ RepoDigests []string }
	if err := s.engine.get("/images/"+s.rig.hub.addr+"/"+s.repository+"@"+digest+"/json", &found); err != nil {
		s.t.Fatal(err)
	}
	want := []string{s.rig.hub.addr + "/" + s.repository + "@" + digest, s.rig.other.addr + "/" + s.repository + "@" + index}
	for _, one := range want {
		if !slices.Contains(found.RepoDigests, one) {
			s.t.Fatalf("the image has the digests %q, want %q among them", found.RepoDigests, one)
		}
	}
	if digest == index {
		s.t.Fatal("the digests of both registries are equal")
	}
}

// A rollback finds the old image, whichever registries have it.
func TestEngineRollsBackImageOfTwoRegistries(t *testing.T) {
	t.Parallel()
	t.Run("container", func(t *testing.T) {
		t.Parallel()
		s := newRunSite(t)
		if s == nil {
			return
		}
		before := s.deployFirst()
		_, digest, _ := strings.Cut(before.Config.Image, "@")
		s.pullFromOther("1", digest)
		s.push("2", quickHealth(), "APP_SICK=1")
		s.call("latest")
		s.untilLog(`msg="rolled back"`, 1)
		s.requireUntouched(before)
	})
	t.Run("service", func(t *testing.T) {
		t.Parallel()
		s := newServiceSite(t, "")
		if s == nil {
			return
		}
		before := s.deployService(1)
		_, digest, _ := strings.Cut(before[0].Config.Image, "@")
		s.pullFromOther("1", digest)
		s.push("2", quickHealth(), "APP_SICK=1")
		s.call("latest")
		s.untilLog(`msg="rolled back"`, 1)
		s.requireImage(before[0].Image, 1)
		// The same again, now that the old image was started by a rollback.
		s.push("3", quickHealth(), "APP_EXIT_AFTER=0s")
		s.call("latest")
		s.untilLog(`msg="rolled back"`, 2)
		s.requireImage(before[0].Image, 1)
		good := s.push("4", quickHealth())
		s.call("latest")
		s.requireService(good, 1)
	})
}
