package dbtest

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// The call has another host in its URLs than the API's answer, so that the two share one dedup
// key and differ in the other.
func TestACallOfABuildAndItsCatchUpAtTheSameInstantAreStoredOnce(t *testing.T) {
	const builds = 300
	src := jobserv.Source(webhook.NewSecret("secret"))
	if err := src.Validate(); err != nil {
		t.Fatal(err)
	}
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		var all errgroup.Group
		all.SetLimit(20)
		for n := range builds {
			read := fmt.Appendf(nil, `{"build_id": %d, "url": "https://api.example.com/projects/acme/p%d/builds/%d/", "completed": "2026-03-02T10:03:21+00:00"}`, n+1, n%10, n+1)
			sent := bytes.Replace(read, []byte("https://api.example.com"), []byte("http://lci-web"), 1)
			call, err := src.Open(webhooktest.NewRequest(src, "/", sent), sent)
			must(t, err)
			found, err := src.OpenUnsigned(&http.Request{Header: http.Header{}}, read, "read from the API")
			must(t, err)
			var pair errgroup.Group
			stored := make(chan bool, 2)
			for _, d := range []*webhook.Delivery{call, found} {
				pair.Go(func() error {
					err := in.Put(t.Context(), d)
					stored <- err == nil
					if webhook.IsDuplicate(err) {
						return nil
					}
					return err
				})
			}
			all.Go(func() error {
				if err := pair.Wait(); err != nil {
					return err
				}
				if one, other := <-stored, <-stored; one == other {
					return fmt.Errorf("build %d: both are stored, or none", n+1)
				}
				return nil
			})
		}
		must(t, all.Wait())
	})
}
