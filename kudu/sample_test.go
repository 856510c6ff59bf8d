package kudu_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestTheSampleBodiesAreEventsOfKudu(t *testing.T) {
	for _, tc := range []struct {
		body             []byte
		typ, orderingKey string
		dedupKeys        int
		again            func(body []byte) any // the decoded payload
	}{
		{webhooktest.KuduDeployment(), "kudu.PostDeployment", "app.scm.azurewebsites.net", 2, func(b []byte) any { return decode[kudu.Deployment](t, b) }},
		{webhooktest.KuduFailedDeployment(), "kudu.PostDeployment", "app.scm.azurewebsites.net", 2, func(b []byte) any { return decode[kudu.Deployment](t, b) }},
		{webhooktest.KuduJobRun(), "kudu.TriggeredJobFinished", "cleanup", 1, func(b []byte) any { return decode[kudu.TriggeredJobRun](t, b) }},
	} {
		d := open(t, tc.body)
		if d.Type != tc.typ || d.OrderingKey != tc.orderingKey || len(d.DedupKeys) != tc.dedupKeys {
			t.Errorf("got type %q, ordering key %q and dedup keys %q", d.Type, d.OrderingKey, d.DedupKeys)
		}
		if diff := cmp.Diff(asMap(t, tc.body), asMap(t, encode(t, tc.again(tc.body)))); diff != "" {
			t.Errorf("%s: decoded and encoded (-sent +got):\n%s", tc.typ, diff)
		}
	}
	ok, failed := decode[kudu.Deployment](t, webhooktest.KuduDeployment()), decode[kudu.Deployment](t, webhooktest.KuduFailedDeployment())
	if ok.Status != kudu.StatusSuccess || failed.Status != kudu.StatusFailed || ok.ID == failed.ID {
		t.Errorf("got %s of %s and %s of %s", ok.Status, ok.ID, failed.Status, failed.ID)
	}
}
