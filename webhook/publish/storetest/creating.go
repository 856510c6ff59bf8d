package storetest

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// creating are the laws of Create when it succeeds, and of Get.
var creating = []law{
	{"Get returns a created endpoint with every field", func(t *trial) {
		e := t.full()
		t.create(e)
		t.wantFields(t.get(e.ID), e)
	}},
	{"Create returns the endpoint as it is stored", func(t *trial) {
		e := t.full()
		t.wantFields(t.create(e), e)
	}},
	{"an endpoint has a higher Seq than those that were created before", func(t *trial) {
		last := t.some().Seq
		for range 3 {
			seq := t.some().Seq
			if seq <= last {
				t.Errorf("Seq %d comes after %d", seq, last)
			}
			last = seq
		}
	}},
	{"Create ignores Seq and Last", func(t *trial) {
		e := t.endpoint()
		e.Seq, e.Last = 1<<40, t.attempt(e.ID, publish.Failed)
		if stored := t.create(e); stored.Seq == e.Seq || stored.Last.UID != "" {
			t.Errorf("Seq is %d, Last %+v", stored.Seq, stored.Last)
		}
	}},
	{"times of an endpoint are kept to the microsecond", func(t *trial) {
		e := t.endpoint()
		e.Since = someTime.Add(123456789)
		t.create(e)
		if got := t.get(e.ID).Since; got.Sub(e.Since).Abs() >= time.Microsecond {
			t.Errorf("Since is %v, want %v", got, e.Since)
		}
	}},
	{"secrets are stored with their bytes, their ends and their order", func(t *trial) {
		e := t.endpoint()
		e.Secrets = []publish.Secret{
			{Secret: webhook.NewSecret("oldest \x00\xff\xfe"), Until: someTime.Add(time.Hour)},
			{Secret: webhook.NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), Until: someTime},
			{Secret: webhook.NewSecret(" ")},
		}
		t.create(e)
		t.wantFields(t.get(e.ID), e)
	}},
	{"the largest endpoint is stored", func(t *trial) {
		e := t.endpoint()
		e.ID, e.Owner, e.Name = strings.Repeat("i", 255), strings.Repeat("o", 255), strings.Repeat("ü", 127)
		e.Description = strings.Repeat("d", 4096)
		e.URL = "https://example.com/" + strings.Repeat("u", 2000)
		e.Header = http.Header{"X-Large": {strings.Repeat("v", 8000)}}
		e.Meta = map[string]string{"large": strings.Repeat("v", 16000)}
		e.Secrets = nil
		for range 16 {
			e.Secrets = append(e.Secrets, publish.Secret{Secret: webhook.NewSecret(strings.Repeat("\xff", 4096))})
		}
		t.create(e)
		t.wantFields(t.get(e.ID), e)
	}},
	{"a Store has a copy of what it was given", func(t *trial) {
		e := t.full()
		e.ID = "given"
		want := e.Clone()
		t.create(e)
		scribble(e)
		t.wantFields(t.get(e.ID), want)
	}},
	{"a Store returns a copy of what it has", func(t *trial) {
		e := t.full()
		e.ID = "returned"
		t.create(e)
		scribble(t.get(e.ID))
		t.wantFields(t.get(e.ID), e)
	}},
	{"Get of an unknown ID is ErrNotFound", func(t *trial) {
		t.some()
		_, err := t.store.Get(t.Context(), "unknown")
		t.wantError("Get", err, publish.ErrNotFound)
	}},
	{"an endpoint of another owner may have the same name", func(t *trial) {
		e, other := t.endpoint(), t.endpoint()
		other.Owner, other.Name = "other", e.Name
		t.create(e)
		t.create(other)
		t.want("All", t.all(publish.Filter{}), e.ID, other.ID)
	}},
	{"endpoints without a name do not conflict", func(t *trial) {
		for range 2 {
			e := t.endpoint()
			e.Name = ""
			t.create(e)
		}
		t.want("All", t.all(publish.Filter{}), number(1, 2)...)
	}},
	{"of endpoints that are created with one name at once, one is stored", func(t *trial) {
		const n = 8
		list := make([]*publish.Endpoint, n)
		for i := range list {
			list[i] = t.endpoint()
			list[i].Name = "at once"
		}
		var stored atomic.Int64
		atOnce(n, func(i int) {
			switch _, err := t.store.Create(t.Context(), list[i]); {
			case err == nil:
				stored.Add(1)
			case !errors.Is(err, publish.ErrExists):
				t.Errorf("Create returned %v, want ErrExists", err)
			}
		})
		if all := t.all(publish.Filter{}); stored.Load() != 1 || len(all) != 1 {
			t.Errorf("%d calls of Create succeeded, and %q are stored", stored.Load(), all)
		}
	}},
}

// full returns an endpoint with a value in every field. It does not store it.
func (t *trial) full() *publish.Endpoint {
	e := t.endpoint()
	e.Description = `what "it" is for, <b>äöü</b>`
	e.URL = "https://user@example.com:8443/hook/%2F?a=b&c=d#e"
	e.Events = []string{"alpha.*", "beta.event", "*"}
	e.Scheme = "standard"
	e.Header = http.Header{"X-One": {"a, b", "c"}, "X-Two": {""}}
	e.Rate, e.Lanes, e.Ordered, e.MaxAttempts, e.InsecureSkipVerify = 0.1, 3, true, 7, true
	e.Meta = map[string]string{"key": "value", "": "ключ"}
	e.State, e.Reason = publish.Paused, "because"
	e.Since, e.Created, e.FailingSince = someTime.Add(time.Minute), someTime.Add(time.Second), someTime.Add(time.Hour)
	return e
}

// scribble changes all memory that an endpoint refers to.
func scribble(e *publish.Endpoint) {
	e.Events[0] = "scribble"
	e.Secrets[0].Until = someTime
	e.Header["X-One"][0] = "scribble"
	e.Header.Set("X-Scribble", "scribble")
	e.Meta["key"] = "scribble"
}
