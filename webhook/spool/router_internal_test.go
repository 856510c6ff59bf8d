package spool

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestRouterReturnsToPrimaryOnlyIfNoPutOverlapsTheObservation(t *testing.T) {
	put := func(t *testing.T, r *router) {
		t.Helper()
		if r.route(t.Context()) {
			t.Fatal("a new delivery goes to primary")
		}
	}
	for _, tt := range []struct {
		name          string
		before, after func(t *testing.T, r *router) // the snapshot
		want          bool
	}{
		{"no Put", nil, nil, true},
		{"a Put that ended before", func(t *testing.T, r *router) { put(t, r); r.done() }, nil, true},
		{"a Put that is running", put, nil, false},
		{"a Put that is running and ends meanwhile", put, func(_ *testing.T, r *router) { r.done() }, false},
		{"a Put that begins meanwhile", nil, put, false},
		{"a Put that begins and ends meanwhile", nil, func(t *testing.T, r *router) { put(t, r); r.done() }, false},
		{"a failover meanwhile", nil, func(_ *testing.T, r *router) { r.failover() }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &router{}
			if tt.before != nil {
				tt.before(t, r)
			}
			begun, quiet := r.snapshot()
			if tt.after != nil {
				tt.after(t, r)
			}
			if got := quiet && r.restore(begun); got != tt.want || r.toPrimary() != tt.want {
				t.Errorf("deliveries go to primary: %t, want %t", got, tt.want)
			}
		})
	}
}

func TestRouterFailoverReportsOnce(t *testing.T) {
	r := &router{}
	if !r.restore(0) || !r.route(t.Context()) || !r.route(t.Context()) {
		t.Fatal("deliveries do not go to primary")
	}
	if !r.failover() || r.failover() {
		t.Error("the first failover changes the route, the second does not")
	}
	r.done()
	r.done()
	begun, quiet := r.snapshot()
	if !quiet || !r.restore(begun) {
		t.Error("deliveries do not go to primary again")
	}
}

func TestRouterPauseIsBounded(t *testing.T) {
	for name, after := range map[string]time.Duration{"until resume": pauseFor / 2, "pauseFor at most": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &router{}
				resume := r.pause()
				time.AfterFunc(after, resume)
				began := time.Now()
				r.route(t.Context())
				if took := time.Since(began); took != min(after, pauseFor) {
					t.Errorf("a delivery waited %v", took)
				}
				<-time.After(after)
			})
		})
	}
}
