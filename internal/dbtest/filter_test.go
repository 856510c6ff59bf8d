package dbtest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

func listUIDs(t *testing.T, in *sqlinbox.Inbox, f webhook.Filter) []string {
	t.Helper()
	var list []string
	for r, err := range in.All(t.Context(), f) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r.Delivery.UID)
	}
	return list
}

func TestAFilterChoosesRecords(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		dead := put(t, in, delivery("key"))
		c := claimOne(t, in)
		if _, err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Dead, Reason: "Connection refused: 100% of_them, Überlast"}); err != nil {
			t.Fatal(err)
		}
		other := delivery("key")
		other.Source, other.Type, other.ID = "beta", "beta.ping", "other"
		put(t, in, other)
		late := delivery("")
		late.ReceivedAt = late.ReceivedAt.Add(time.Hour)
		put(t, in, late)
		for name, test := range map[string]struct {
			filter webhook.Filter
			want   []string
		}{
			"nothing set, newest first": {webhook.Filter{}, []string{late.UID, other.UID, dead.UID}},
			"uid":                       {webhook.Filter{UID: other.UID}, []string{other.UID}},
			"source":                    {webhook.Filter{Source: "beta"}, []string{other.UID}},
			"type":                      {webhook.Filter{Type: "alpha.push"}, []string{late.UID, dead.UID}},
			"key":                       {webhook.Filter{OrderingKey: "key"}, []string{other.UID, dead.UID}},
			"sender's id":               {webhook.Filter{ID: "other"}, []string{other.UID}},
			"states":                    {webhook.Filter{States: []webhook.State{webhook.Dead, webhook.Done}}, []string{dead.UID}},
			"text in any case":          {webhook.Filter{Text: "connection REFUSED"}, []string{dead.UID}},
			"text beyond ASCII":         {webhook.Filter{Text: "Überlast"}, []string{dead.UID}},
			"text with wildcards":       {webhook.Filter{Text: "100% of_"}, []string{dead.UID}},
			"wildcards mean themselves": {webhook.Filter{Text: "c%d"}, nil},
			"from":                      {webhook.Filter{From: late.ReceivedAt}, []string{late.UID}},
			"to":                        {webhook.Filter{To: late.ReceivedAt}, []string{other.UID, dead.UID}},
			"limit":                     {webhook.Filter{Limit: 2}, []string{late.UID, other.UID}},
			"all at once":               {webhook.Filter{Source: "alpha", Type: "alpha.push", OrderingKey: "key", Text: "refused", Limit: 5}, []string{dead.UID}},
		} {
			if diff := cmp.Diff(test.want, listUIDs(t, in, test.filter)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}

func TestAllReadsManyPages(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		tx := make([]string, 0, 250)
		for range 250 {
			tx = append(tx, put(t, in, delivery("hot")).UID)
		}
		got := listUIDs(t, in, webhook.Filter{})
		if len(got) != 250 || got[0] != tx[249] || got[249] != tx[0] {
			t.Fatalf("%d records", len(got))
		}
		// The last of a page leads to the next one.
		var first []string
		var f webhook.Filter
		f.Limit = 120
		for r, err := range in.All(t.Context(), f) {
			if err != nil {
				t.Fatal(err)
			}
			first, f.Before = append(first, r.Delivery.UID), r.Seq
			if len(first) == 110 {
				break
			}
		}
		if rest := listUIDs(t, in, f); rest[0] != got[110] || len(rest) != 120 {
			t.Errorf("the next page begins at %s with %d, want %s", rest[0], len(rest), got[110])
		}
	})
}

func TestGetReturnsTheWholeRecord(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		d := put(t, in, delivery("key", "mark"))
		c := claimOne(t, in)
		r, err := in.Get(t.Context(), d.UID)
		if err != nil {
			t.Fatal(err)
		}
		if r.State != webhook.Claimed || r.Attempt != 1 || r.Fence != c.Fence || r.Size != int64(len(d.Body)) || !r.Expires.Equal(c.Expires) {
			t.Errorf("record is %+v", r)
		}
		if string(r.Delivery.Body) != string(d.Body) || r.Delivery.Header.Get("X-Event") != "push" || len(r.Delivery.DedupKeys) != 1 {
			t.Errorf("delivery is %+v", r.Delivery)
		}
		if _, err := in.Get(t.Context(), "nobody"); !errors.Is(err, webhook.ErrNotFound) {
			t.Errorf("Get of another returned %v, want ErrNotFound", err)
		}
	})
}
