package dockerhub_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
)

// The figures are those of "Cost of a catch-up" in the package comment.
func TestTheCostOfAThousandTags(t *testing.T) {
	const tags = 1000
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		all, images := g.pushTags(tags)
		held := catchuptest.Heap()
		c := g.catchUp(all...)
		defer g.start(c)()
		catchuptest.Advance(time.Minute)
		g.wantRan(images...)
		heads, api := count(g.hub, "HEAD"), count(g.hub, "GET hub.docker.com")
		t.Logf("the first look: %d HEADs, %d requests to the API, %d KiB with the stand-in and the inbox", heads, api, (catchuptest.Heap()-held)>>10)
		catchuptest.Advance(10 * time.Minute)
		heads, api = count(g.hub, "HEAD")-heads, count(g.hub, "GET hub.docker.com")-api
		tokens := count(g.hub, "GET auth.docker.io")
		t.Logf("a quiet look: %d HEADs, %d requests to the API; %d tokens in both", heads, api, tokens)
		if c.Status().Looks != 2 || heads < tags || heads > tags+1 || api != 0 || tokens > 2 {
			t.Errorf("status %+v, %d HEADs, %d requests to the API, %d tokens", c.Status(), heads, api, tokens)
		}
		if n := count(g.hub, "GET registry-1.docker.io"); n > 0 {
			t.Errorf("%d pulls", n)
		}
	})
}
