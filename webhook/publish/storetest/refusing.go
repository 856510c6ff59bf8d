package storetest

import (
	"math"
	"strings"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// refusing are the laws of Create when it fails.
var refusing = []law{
	{"Create refuses an ID that is in use", func(t *trial) {
		e := t.some()
		other := t.endpoint()
		other.ID = e.ID
		_, err := t.store.Create(t.Context(), other)
		t.wantError("Create", err, publish.ErrExists)
		t.wantFields(t.get(e.ID), e)
	}},
	{"Create refuses a name that another endpoint of the owner has", func(t *trial) {
		e := t.some()
		other := t.endpoint()
		other.Name = e.Name
		_, err := t.store.Create(t.Context(), other)
		t.wantError("Create", err, publish.ErrExists)
		t.want("All", t.all(publish.Filter{}), e.ID)
	}},
	{"names are compared without regard to case", func(t *trial) {
		e, other := t.endpoint(), t.endpoint()
		e.Name, other.Name = "Bücher É", "BÜCHER é"
		t.create(e)
		_, err := t.store.Create(t.Context(), other)
		t.wantError("Create", err, publish.ErrExists)
	}},
	{"Create refuses an invalid endpoint", func(t *trial) {
		for what, spoil := range invalid {
			e := t.endpoint()
			spoil(e)
			if _, err := t.store.Create(t.Context(), e); err == nil {
				t.Errorf("an endpoint with %s was created", what)
			} else {
				t.wantError("Create of an endpoint with "+what, err, publish.ErrEndpoint)
			}
		}
	}},
	{"nothing of an endpoint that was refused is stored", func(t *trial) {
		e := t.endpoint()
		e.URL = ""
		_, err := t.store.Create(t.Context(), e)
		t.wantError("Create", err, publish.ErrEndpoint)
		t.want("All", t.all(publish.Filter{}))
		t.want("Match", t.matches(someType))
		other := t.endpoint()
		other.ID, other.Name = e.ID, e.Name
		t.create(other)
	}},
}

// invalid are ways to make an endpoint invalid.
var invalid = map[string]func(e *publish.Endpoint){
	"no ID":                   func(e *publish.Endpoint) { e.ID = "" },
	"a long name":             func(e *publish.Endpoint) { e.Name = strings.Repeat("n", 10<<10) },
	"a NUL in its owner":      func(e *publish.Endpoint) { e.Owner = "a\x00b" },
	"a name that is no UTF-8": func(e *publish.Endpoint) { e.Name = "a\xffb" },
	"a URL that is relative":  func(e *publish.Endpoint) { e.URL = "/hook" },
	"no events":               func(e *publish.Endpoint) { e.Events = nil },
	"an unknown pattern":      func(e *publish.Endpoint) { e.Events = []string{"a.*.b"} },
	"a huge header":           func(e *publish.Endpoint) { e.Header = map[string][]string{"X-Huge": {strings.Repeat("v", 1<<20)}} },
	"a header of two lines":   func(e *publish.Endpoint) { e.Header = map[string][]string{"X-Lines": {"a\r\nb"}} },
	"a negative rate":         func(e *publish.Endpoint) { e.Rate = -1 },
	"a rate that is NaN":      func(e *publish.Endpoint) { e.Rate = math.NaN() },
	"negative lanes":          func(e *publish.Endpoint) { e.Lanes = -1 },
	"an unknown state":        func(e *publish.Endpoint) { e.State = "asleep" },
	"no time of creation":     func(e *publish.Endpoint) { e.Created = e.Created.AddDate(-3000, 0, 0) },
	"an empty secret":         func(e *publish.Endpoint) { e.Secrets = []publish.Secret{{}} },
}
