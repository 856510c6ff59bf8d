package storetest

import (
	"errors"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// updating are the laws of an Update that nothing interferes with.
var updating = []law{
	{"Update stores what change makes of an endpoint", func(t *trial) {
		e := t.some()
		become := t.become(e)
		t.update(e.ID, func(e *publish.Endpoint) { *e = *become.Clone() })
		t.wantFields(t.get(e.ID), become)
	}},
	{"Update returns the endpoint as it is stored", func(t *trial) {
		e := t.some()
		become := t.become(e)
		t.wantFields(t.update(e.ID, func(e *publish.Endpoint) { *e = *become.Clone() }), become)
	}},
	{"change gets the endpoint as it is", func(t *trial) {
		e := t.full()
		t.create(e)
		t.update(e.ID, func(got *publish.Endpoint) { t.wantFields(got, e) })
	}},
	{"Match goes by what Update has stored", func(t *trial) {
		e := t.create(t.endpoint("alpha.event", "beta.event"))
		t.update(e.ID, func(e *publish.Endpoint) { e.Events = []string{"gamma.event", "beta.event"} })
		t.want("Match of what was removed", t.matches("alpha.event"))
		t.want("Match of what is as before", t.matches("beta.event"), e.ID)
		t.want("Match of what was added", t.matches("gamma.event"), e.ID)
	}},
	{"Update can end the failing of an endpoint", func(t *trial) {
		e := t.some()
		t.record(t.attempt(e.ID, publish.Failed))
		t.update(e.ID, func(e *publish.Endpoint) { e.FailingSince = time.Time{} })
		if since := t.get(e.ID).FailingSince; !since.IsZero() {
			t.Errorf("it is failing since %v", since)
		}
	}},
	{"Update returns the error of change", func(t *trial) {
		e := t.some()
		failed := errors.New("by the law")
		_, err := t.store.Update(t.Context(), e.ID, func(*publish.Endpoint) error { return failed })
		t.wantError("Update", err, failed)
	}},
	{"nothing is stored if change fails", func(t *trial) {
		e := t.some()
		_, err := t.store.Update(t.Context(), e.ID, func(e *publish.Endpoint) error {
			e.Description = "new"
			return errors.New("by the law")
		})
		if got := t.get(e.ID).Description; err == nil || got != e.Description {
			t.Errorf("Update returned %v, the description is %q", err, got)
		}
	}},
	{"Update of an unknown ID is ErrNotFound", func(t *trial) {
		_, err := t.store.Update(t.Context(), "unknown", func(*publish.Endpoint) error {
			t.Errorf("change was called")
			return nil
		})
		t.wantError("Update", err, publish.ErrNotFound)
	}},
	{"Update refuses another ID, Owner or Created", func(t *trial) {
		e := t.some()
		for what, change := range map[string]func(e *publish.Endpoint){
			"ID":      func(e *publish.Endpoint) { e.ID = "other" },
			"Owner":   func(e *publish.Endpoint) { e.Owner = "other" },
			"Created": func(e *publish.Endpoint) { e.Created = e.Created.Add(time.Second) },
		} {
			_, err := t.store.Update(t.Context(), e.ID, func(e *publish.Endpoint) error {
				change(e)
				return nil
			})
			t.wantError("Update of the "+what, err, publish.ErrEndpoint)
		}
	}},
	{"Update refuses an invalid endpoint", func(t *trial) {
		e := t.some()
		_, err := t.store.Update(t.Context(), e.ID, func(e *publish.Endpoint) error {
			e.Rate = -1
			return nil
		})
		t.wantError("Update", err, publish.ErrEndpoint)
	}},
	{"nothing of an Update that was refused is stored", func(t *trial) {
		e := t.some()
		_, err := t.store.Update(t.Context(), e.ID, func(e *publish.Endpoint) error {
			e.Description, e.Events = "new", []string{"new", "a.*.b"}
			return nil
		})
		t.wantError("Update", err, publish.ErrEndpoint)
		t.wantFields(t.get(e.ID), e)
		t.want("Match", t.matches("new"))
	}},
	{"Update ignores Seq and Last", func(t *trial) {
		e := t.some()
		t.record(t.attempt(e.ID, publish.Delivered))
		got := t.update(e.ID, func(e *publish.Endpoint) { e.Seq, e.Last = 1<<40, publish.Attempt{UID: "other"} })
		if got.Seq != e.Seq || got.Last.UID != "uid" {
			t.Errorf("Seq is %d, want %d, and Last %+v", got.Seq, e.Seq, got.Last)
		}
	}},
	{"times that Update stores are kept to the microsecond", func(t *trial) {
		e := t.some()
		since := someTime.Add(123456789)
		t.update(e.ID, func(e *publish.Endpoint) { e.Since = since })
		if got := t.get(e.ID).Since; got.Sub(since).Abs() >= time.Microsecond {
			t.Errorf("Since is %v, want %v", got, since)
		}
	}},
	{"a long Reason of an endpoint is cut", func(t *trial) {
		e := t.some()
		t.update(e.ID, func(e *publish.Endpoint) { e.Reason = longText })
		if got := t.get(e.ID).Reason; got != longText[:4<<10] {
			t.Errorf("Reason has %d bytes, want %d of %d", len(got), 4<<10, len(longText))
		}
	}},
	{"a Store has a copy of what change was given", func(t *trial) {
		e := t.full()
		e.ID = "changed"
		t.create(e)
		var kept *publish.Endpoint
		t.update(e.ID, func(e *publish.Endpoint) { kept = e })
		scribble(kept)
		t.wantFields(t.get(e.ID), e)
	}},
}

// become returns what an Update can make of e, other in every field.
func (t *trial) become(e *publish.Endpoint) *publish.Endpoint {
	b := t.full()
	b.ID, b.Owner, b.Created, b.Description = e.ID, e.Owner, e.Created, "become"
	b.Secrets = []publish.Secret{{Secret: webhook.NewSecret("old"), Until: someTime}, {Secret: webhook.NewSecret("new")}}
	b.Header = http.Header{"X-Three": {"d"}}
	return b
}
