package github_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestABacklogOfSeveralRoundsIsCaughtUp(t *testing.T) {
	for _, readAPI := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g := newCatchUpRig(t)
			g.missed(1)
			g.net.Set(catchuptest.Each(catchuptest.Proxied))
			for range 95 {
				g.send(1)
				catchuptest.Advance(time.Minute)
			}
			g.net.Set(nil)
			c := g.catchUp()
			c.ReadAPI = readAPI
			c.SetMost(10)
			defer g.start(c)()
			catchuptest.Advance(10 * time.Minute)
			g.wantAllRun()
			if s := c.Status(); s.Found != 96 || s.Settled != 96 || s.Missing != 0 {
				t.Errorf("status %+v, want 96 found and settled", s)
			}
		})
	}
}

func TestADamagedCursorSkipsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.send(5)
		g.missed(3)
		const name = "github api.github.com/repos/hooks/7"
		now, err := g.inbox.Cursor(t.Context(), name)
		if err != nil || now == "" {
			t.Fatalf("the cursor is %q, %v", now, err)
		}
		if err := g.inbox.SetCursor(t.Context(), name, now, "damaged"); err != nil {
			t.Fatal(err)
		}
		defer g.start(g.catchUp())()
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
		g.wantSaid(1, "is damaged")
		if got, _ := g.inbox.Cursor(t.Context(), name); got == "damaged" {
			t.Error("the cursor was not repaired")
		}
	})
}

// A cursor that another process has moved on is not moved back.
func TestTheCursorNeverGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(30)
		stop := g.start(g.catchUp()) // which asks for some
		catchuptest.Advance(10 * time.Second)
		const name = "github api.github.com/repos/hooks/7"
		before, err := g.inbox.Cursor(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		later := "2000-01-01T00:09:00Z 2000-01-01T00:00:00Z"
		if err := g.inbox.SetCursor(t.Context(), name, before, later); err != nil {
			t.Fatal(err)
		}
		catchuptest.Advance(5 * time.Minute)
		stop()
		g.wantAllRun()
		if got, err := g.inbox.Cursor(t.Context(), name); got[:20] != later[:20] || err != nil {
			t.Errorf("the cursor is %q, %v, want what the other has set, %q", got, err, later)
		}
	})
}

// The log says to use the new name. The program that does goes on where it was.
func TestACatchUpUnderTheNewNameOfARepositoryGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(3)
		catchuptest.Advance(time.Minute)
		g.gh.Rename("repos/acme/app", "repos/Acme/new-name")
		c := github.NewCatchUp(g.client, github.RepositoryHook("Acme", "new-name", 7), g.source, g.inbox)
		c.Logger = catchuptest.Quiet()
		defer g.start(c)()
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
	})
}

func TestHooksHaveCursorsOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		seen := make(map[string]string)
		for _, h := range []github.HookRef{
			github.RepositoryHook("acme", "app", 7), github.RepositoryHook("acme", "app", 8),
			github.OrganizationHook("acme", 7), github.AppHook(), github.AppHookOf("Iv1.1"), github.AppHookOf("Iv1.2"),
		} {
			name := github.NewCatchUp(g.client, h, g.source, g.inbox).CursorName()
			if seen[name] != "" {
				t.Errorf("%s and %s have the cursor %q", h, seen[name], name)
			}
			seen[name] = h.String()
		}
	})
}

// The clock of an Enterprise Server was hours ahead and is set right.
func TestAServersClockThatIsSetBackSkipsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.gh.Now = func() time.Time { return time.Now().Add(5 * time.Hour) }
		stop := g.start(g.catchUp())
		catchuptest.Advance(time.Minute)
		g.send(2)
		stop()
		stop = g.start(g.catchUp())
		catchuptest.Advance(time.Minute)
		stop()
		g.gh.Now = nil
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		g.send(3)
		g.net.Set(nil)
		c := g.catchUp()
		defer g.start(c)()
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
		if upto := c.Status().Upto; upto.After(time.Now()) {
			t.Errorf("the cursor is at %v, after now, %v", upto, time.Now())
		}
	})
}

// What the inbox has forgotten while GitHub lists it would run again.
func TestAnInboxThatForgetsTooSoonIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for window, refused := range map[time.Duration]bool{3 * 24 * time.Hour: true, 4 * 24 * time.Hour: false, 0: false} {
			g := newCatchUpRig(t)
			g.inbox = &webhook.MemInbox{Window: window, Logger: catchuptest.Quiet()}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			err := g.catchUp().Run(ctx)
			cancel()
			if refused != (err != nil && strings.Contains(err.Error(), "(Window)")) {
				t.Errorf("%v: got %v, refused: %v", window, err, refused)
			}
		}
	})
}
