//go:build linux

package main

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/notice"
)

// The program knows a pull that is denied from what the engine prints: it is not one whose
// registry is away.
func TestEngineTellsADeniedPull(t *testing.T) {
	t.Parallel()
	rig := sharedRig(t)
	if rig == nil {
		return
	}
	box := newMailbox(t)
	s := newSite(t, rig, rig.engine, "-registry-retry=20ms", "-notify="+box.URL)
	s.declare()
	before := s.deployFirst()
	s.until("the first notice", func() bool { return len(box.results(t, "/")) == 1 })
	for i, test := range []struct {
		what   string
		status int // of a GET; 0: there is no image for this platform
		body   string
	}{
		{"unauthorized", http.StatusUnauthorized, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`},
		{"denied", http.StatusForbidden, `{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}`},
		{"forbidden", http.StatusForbidden, ``},
		{"manifest unknown", http.StatusNotFound, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`},
		{"no such platform", 0, ""},
		{"not found at all", http.StatusNotFound, ``},
		{"without a message", http.StatusUnauthorized, ``},
	} {
		t.Log(test.what)
		if version := fmt.Sprint("denied ", i+1); test.status == 0 {
			s.pushForOtherPlatform(version)
		} else {
			s.pushDenied(version, test.status, test.body)
		}
		s.call("latest")
		s.until("the notice", func() bool { return len(box.results(t, "/")) == 2*i+2 })
		if got := box.results(t, "/")[2*i+1]; got.Outcome != notice.Denied || !strings.HasPrefix(got.Reason, "docker pull ") {
			t.Errorf("the notice is %+v", got)
		}
		s.requireUntouched(before)
		digest := s.push(fmt.Sprint("good ", i+1), quickHealth())
		s.call("latest")
		before = s.requireOnly(digest)
		s.until("the end", func() bool { return len(box.results(t, "/")) == 2*i+3 })
		if got := box.results(t, "/")[2*i+2]; got.Outcome != notice.Deployed || !strings.Contains(got.Reason, "has denied it since") {
			t.Errorf("the notice of the end is %+v", got)
		}
	}
}

// pushDenied pushes an image that the registry knows and gives to nobody, from the beginning:
// an order of before may run at any time.
func (s *site) pushDenied(version string, status int, body string) {
	s.t.Helper()
	image := s.image(version, quickHealth())
	digest, err := image.Digest()
	if err != nil {
		s.t.Fatal(err)
	}
	s.rig.hub.answer(s.repository, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/"+digest.String()) {
			s.rig.hub.pass(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
	s.rig.hub.push(s.t, s.repository, "latest", image)
}

// pushForOtherPlatform pushes an index that has no image for this host.
func (s *site) pushForOtherPlatform(version string) {
	s.t.Helper()
	other := "s390x"
	if runtime.GOARCH == other {
		other = "riscv64"
	}
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{
		Add: s.image(version, quickHealth()), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: other}},
	})
	ref, err := name.NewTag(s.rig.hub.addr + "/" + s.repository + ":latest")
	if err == nil {
		err = remote.WriteIndex(ref, index)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}
