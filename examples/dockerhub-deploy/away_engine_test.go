//go:build linux

package main

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// A registry that is away, or that limits, costs no attempt and loses no push.
func TestEngineRegistryAway(t *testing.T) {
	t.Parallel()
	limited := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(`{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}`))
	}
	rig := sharedRig(t)
	if rig == nil {
		return
	}
	s := newSite(t, rig, rig.engine, "-registry-retry=20ms")
	s.declare()
	before := s.deployFirst()
	for i, test := range []struct {
		what   string
		answer func(w http.ResponseWriter)
		pull   bool  // The HEAD is answered as ever, and the pull is not.
		times  int64 // that it must have answered
	}{
		{"answers 503", func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }, false, 15},
		{"breaks connections", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, false, 15},
		{"limits, with Retry-After", func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "1")
			limited(w)
		}, false, 3},
		{"limits the pull", limited, true, 3},
		{"fails at the pull", func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }, true, 3},
	} {
		s.idle()
		t.Log(test.what)
		begin := len(s.logText())
		digest := s.push(fmt.Sprint(i+2), quickHealth())
		var answered atomic.Int64
		rig.hub.answer(s.repository, func(w http.ResponseWriter, r *http.Request) {
			if test.pull && r.Method != http.MethodGet {
				rig.hub.pass(w, r)
				return
			}
			answered.Add(1)
			test.answer(w)
		})
		s.call("latest")
		s.until("the registry to be asked", func() bool { return answered.Load() >= test.times })
		s.requireUntouched(before)
		rig.hub.answer(s.repository, nil)
		before = s.requireOnly(digest)
		log := s.logText()[begin:]
		lost := strings.Count(log, `reason="webhook: claim lost"`) // on a machine under load
		if got := strings.Count(log, fmt.Sprint("attempt=", lost+2)); got != 0 {
			t.Fatalf("an attempt counted %d times", got)
		}
	}
}

// A push that nobody delivered is found: at the start, and by -poll.
func TestEngineFindsMissedPush(t *testing.T) {
	t.Parallel()
	t.Run("at the start", func(t *testing.T) {
		t.Parallel()
		s := newRunSite(t)
		if s == nil {
			return
		}
		s.deployFirst()
		s.end(syscall.SIGTERM)
		digest := s.push("2", quickHealth())
		s.start()
		s.requireOnly(digest)
	})
	t.Run("at the start, with a registry that is away", func(t *testing.T) {
		t.Parallel()
		s := newRunSite(t)
		if s == nil {
			return
		}
		s.deployFirst()
		s.end(syscall.SIGTERM)
		digest := s.push("2", quickHealth())
		var answered atomic.Int64
		s.rig.hub.answer(s.repository, func(w http.ResponseWriter, _ *http.Request) {
			answered.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		s.start()
		s.until("the registry to be asked", func() bool { return answered.Load() >= 3 })
		s.rig.hub.answer(s.repository, nil)
		s.requireOnly(digest)
	})
	t.Run("by polling", func(t *testing.T) {
		t.Parallel()
		rig := sharedRig(t)
		if rig == nil {
			return
		}
		s := newSite(t, rig, rig.engine, "-poll=500ms")
		s.declare()
		first := s.deployFirst()
		bad := s.push("2", quickHealth(), "APP_SICK=1")
		s.untilLog(`msg="rolled back"`, 1)
		s.requireUntouched(first)
		digest := s.push("3", quickHealth())
		s.requireOnly(digest)
		if got := s.countLog(`msg="rolled back"`); got != 1 {
			t.Fatalf("the bad image %s is deployed %d times", bad, got)
		}
	})
}

// A start that fails because a port is in use says nothing about the image.
func TestEngineRetriesFailedStart(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"at the first deployment", "at an update"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig := sharedRig(t)
			if rig == nil {
				return
			}
			s := newSite(t, rig, rig.engine)
			network, _ := s.newNetwork()
			s.declareAs(s.name, s.repository+":latest", "--network "+network, "--publish 127.0.0.1:"+s.port+":80")
			digest := s.push("1", quickHealth())
			if name == "at an update" {
				s.start()
				s.requireOnly(digest)
				// The port of the old container is free when the new one starts. Another
				// process takes it.
				digest = s.push("2", quickHealth())
				s.fault("after", "hold", "stop*")
				s.call("latest")
				s.untilHeld()
			}
			l, err := net.Listen("tcp", "127.0.0.1:"+s.port)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = l.Close() }()
			if name == "at an update" {
				s.release()
			} else {
				s.start()
			}
			s.untilLog("address already in use", 2)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			s.requireOnly(digest)
			if got := s.countLog(`msg="rolled back"`); got != 0 {
				t.Fatalf("the image is blamed %d times", got)
			}
		})
	}
}
