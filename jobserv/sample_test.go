package jobserv_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestTheSampleBodiesAreBuilds(t *testing.T) {
	for _, tc := range []struct {
		body   []byte
		id     int64
		passed bool
		failed int // runs
	}{
		{webhooktest.JobServBuild(), 41, true, 0},
		{webhooktest.JobServFailedBuild(), 42, false, 1},
	} {
		d := open(t, tc.body)
		if d.Type != "jobserv.build" || d.OrderingKey != "acme/app" || len(d.DedupKeys) != 2 {
			t.Errorf("got type %q, ordering key %q and dedup keys %q", d.Type, d.OrderingKey, d.DedupKeys)
		}
		e, err := webhook.Decode[jobserv.Build](d)
		if err != nil {
			t.Fatal(err)
		}
		b := e.Payload
		if b.BuildID != tc.id || b.Passed() != tc.passed || len(b.Failed()) != tc.failed || b.Duration() <= 0 {
			t.Errorf("build %d: passed %v with %d failed runs in %v", b.BuildID, b.Passed(), len(b.Failed()), b.Duration())
		}
		again, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tree(t, tc.body), tree(t, again)); diff != "" {
			t.Errorf("decoded and encoded (-sent +got):\n%s", diff)
		}
	}
}
