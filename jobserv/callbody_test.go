package jobserv_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
)

// caughtUp returns the delivery of a catch-up of a build that the API answers with.
func caughtUp(t *testing.T, build []byte, inbox *webhook.MemInbox) *webhook.Delivery {
	t.Helper()
	var b struct {
		ID  int64  `json:"build_id"`
		URL string `json:"url"`
	}
	if err := json.Unmarshal(build, &b); err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(b.URL[:strings.Index(b.URL, "/builds/")], api+"/projects/")
	client := client(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", "Mon, 26 Jul 2021 19:30:00 GMT")
		if strings.HasSuffix(r.URL.Path, "/builds/") {
			fmt.Fprintf(w, `{"status":"success","data":{"limit":50,"total":1,"builds":[%s]}}`, build)
			return
		}
		var members map[string]any // sorted, as Flask does
		in := json.NewDecoder(bytes.NewReader(build))
		in.UseNumber()
		if err := in.Decode(&members); err != nil {
			t.Error(err)
		}
		text, _ := json.Marshal(members)
		fmt.Fprintf(w, `{"data":{"build":%s},"status":"success"}`, text)
	})
	c := jobserv.NewCatchUp(client, name, jobserv.Source(webhook.NewSecret(vectorSecret)), inbox)
	c.Since, c.MaxAge, c.Logger = time.Unix(1, 0), 50*365*24*time.Hour, catchuptest.Quiet()
	ran := make(chan *webhook.Delivery, 2)
	worker := webhook.NewWorker(inbox, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		ran <- d
		return nil
	}))
	worker.Logger = catchuptest.Quiet()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	go func() { done <- c.Run(ctx) }()
	go func() { done <- worker.Run(ctx) }()
	catchuptest.Advance(time.Minute)
	cancel()
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if len(ran) != 1 || c.Status().Err != nil {
		t.Fatalf("%d deliveries ran, %+v, want 1", len(ran), c.Status())
	}
	return <-ran
}

func TestTheBodyIsThatOfTheCall(t *testing.T) {
	for _, file := range []string{"build.detailed.json", "build.rerun.json", "build.all-fields.json"} {
		t.Run(file, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				want := fixture(t, file)
				d := caughtUp(t, want, &webhook.MemInbox{Logger: catchuptest.Quiet(), Window: math.MaxInt64})
				if !bytes.Equal(d.Body, bytes.TrimSpace(want)) {
					t.Errorf("the body is\n%s\nwant\n%s", d.Body, want)
				}
				if !strings.Contains(d.Unsigned, "API") || d.KeyLabel != "" || d.Header.Get("Content-Type") != "application/json" {
					t.Errorf("unsigned %q, label %q, header %v", d.Unsigned, d.KeyLabel, d.Header)
				}
			})
		})
	}
}

// An earlier version stored a delivery with no dedup key but its signature.
func TestADeliveryOfAnEarlierVersionAndItsCatchUpRunOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inbox := &webhook.MemInbox{Logger: catchuptest.Quiet(), Window: math.MaxInt64}
		body := fixture(t, "build.detailed.json")
		d := open(t, body)
		d.DedupKeys = d.DedupKeys[1:]
		if len(d.DedupKeys) != 1 || !strings.HasPrefix(d.DedupKeys[0], "mac:") {
			t.Fatalf("dedup keys %q", d.DedupKeys)
		}
		if err := inbox.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if got := caughtUp(t, body, inbox); got.Unsigned != "" {
			t.Errorf("the catch-up ran, and not the call: %v", got.LogValue())
		}
	})
}

// A promotion makes no call and is no event.
func TestAPromotedBuildHasTheStatusOfItsCompletion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(1)
		g.ci.Promote(project, 1, "v1", "for all")
		var got jobserv.Build
		g.source.Describe = describing(g.source.Describe, &got)
		defer g.run(g.catchUp())()
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
		if got.Result() != jobserv.Passed || got.Name.Or("") != "v1" {
			t.Errorf("status %s, name %q, want PASSED and v1", got.Result(), got.Name.Or(""))
		}
	})
}

// describing keeps the last detailed build that is described.
func describing(describe func(*http.Request, []byte) webhook.Description, last *jobserv.Build) func(*http.Request, []byte) webhook.Description {
	return func(r *http.Request, body []byte) webhook.Description {
		var b jobserv.Build
		if json.Unmarshal(body, &b) == nil && b.BuildID > 0 {
			*last = b
		}
		return describe(r, body)
	}
}
