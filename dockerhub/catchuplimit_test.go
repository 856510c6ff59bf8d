package dockerhub_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/dockerhub/dockerhubtest"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// pushTags pushes n tags, and returns them and their images with digests.
func (g *catchUpRig) pushTags(n int) (tags []dockerhub.Tag, images []string) {
	for n := range n {
		tag := dockerhub.Tag(fmt.Sprint("v", n))
		tags = append(tags, tag)
		images = append(images, "acme/app:"+string(tag)+"@"+push(g.hub, "acme/app:"+string(tag), fmt.Sprint(n)))
	}
	return tags, images
}

// A registry that allows ten HEADs in an hour.
func TestALimitThatIsBelowTheNumberOfTagsHidesNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		tags, images := g.pushTags(25)
		used, reset := 0, time.Now().Add(time.Hour)
		g.transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
			if !time.Now().Before(reset) {
				used, reset = 0, time.Now().Add(time.Hour)
			}
			if r.Method == http.MethodHead {
				if used++; used > 10 {
					g.hub.Fail(1, dockerhubtest.Failure{Status: 429, RetryAfter: time.Until(reset)})
				}
			}
			return webhooktest.InMemory(g.hub).RoundTrip(r)
		})
		defer g.start(g.catchUp(tags...))()
		catchuptest.Advance(5 * time.Hour)
		g.wantRan(images...)
	})
}

// Docker Hub's API has a limit of its own, and may hang. The digest is what counts.
func TestAnAPIThatFailsHoldsUpNoTag(t *testing.T) {
	for name, api := range map[string]func(g *catchUpRig, r *http.Request) (*http.Response, error){
		"it limits": nil,
		"it hangs": func(_ *catchUpRig, r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				g.hub.APILimit = 3
				tags, images := g.pushTags(20)
				asked := 0
				g.transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
					if r.URL.Host == "hub.docker.com" {
						if asked++; api != nil {
							return api(g, r)
						}
					}
					return webhooktest.InMemory(g.hub).RoundTrip(r)
				})
				defer g.start(g.catchUp(tags...))()
				catchuptest.Advance(time.Minute)
				g.wantRan(images...)
				if asked > 4 {
					t.Errorf("the API was asked %d times", asked)
				}
			})
		})
	}
}

func TestTheLimitOfTheAPINamesItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := &dockerhubtest.Server{APILimit: 1}
		push(hub, "acme/app:latest", "1")
		c := clientOf(hub, "", "")
		_, err := c.LastPush(t.Context(), "acme/app", "latest")
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.LastPush(t.Context(), "acme/app", "latest")
		if status, ok := errors.AsType[*dockerhub.StatusError](err); !ok || !errors.Is(err, dockerhub.ErrRateLimited) || status.RetryAfter != time.Minute {
			t.Errorf("got %+v, want a minute", err)
		}
	})
}

// A poisonedInbox fails for one tag and does not say that it always will.
type poisonedInbox struct{ *webhook.MemInbox }

func (in poisonedInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	if strings.HasSuffix(d.OrderingKey, ":v0") {
		return catchuptest.ErrDown
	}
	return in.MemInbox.Put(ctx, d)
}

func TestATagForWhichTheInboxFailsHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.inbox = poisonedInbox{g.inbox.(*webhook.MemInbox)}
		tags, images := g.pushTags(3)
		defer g.start(g.catchUp(tags...))()
		catchuptest.Advance(time.Hour)
		g.wantRan(images[1:]...)
	})
}
