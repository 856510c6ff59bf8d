package github_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
)

// The button that tests a hook sends the latest push again, under a new GUID. The inbox has
// its signature and does not store it, so that its GUID is never known.
func TestACallThatIsADuplicateByItsSignatureIsSettled(t *testing.T) {
	for how, readAPI := range map[string]bool{"by redelivery": false, "by the API": true} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				c := g.catchUp()
				c.ReadAPI, c.Since, c.Every = readAPI, time.Now(), 10*time.Minute
				push := []byte(`{"ref":"refs/heads/main","before":"a","after":"b","repository":{"full_name":"acme/app","pushed_at":1}}`)
				for range 2 {
					g.gh.Send(t.Context(), hookPath, "push", push)
				}
				defer g.start(c)()
				catchuptest.Advance(24 * time.Hour)
				g.mu.Lock()
				if len(g.ran) != 1 {
					t.Errorf("%d pushes ran, want 1", len(g.ran))
				}
				g.mu.Unlock()
				if s := c.Status(); s.Found != 1 || s.Settled != 1 || s.Missing != 0 || s.Asked > 1 {
					t.Errorf("status %+v, want one settled", s)
				}
				g.wantSaid(1, "deliveries are missing")
				catchuptest.Advance(3 * 24 * time.Hour)
				g.wantSaid(0, "is lost")
			})
		})
	}
}
