package storetest

import (
	"fmt"
	"strings"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// matching are the laws of Match.
var matching = []law{
	{"Match finds the endpoints of a type", func(t *trial) {
		t.create(t.endpoint("alpha.event"))
		t.create(t.endpoint("beta.event"))
		t.want("Match", t.matches("beta.event"), number(2)...)
	}},
	{`"a.*" matches what begins with "a."`, func(t *trial) {
		t.create(t.endpoint("order.*"))
		for _, typ := range []string{"order.paid", "order.line.added"} {
			t.want("Match of "+typ, t.matches(typ), number(1)...)
		}
	}},
	{`"a.*" does not match "a"`, func(t *trial) {
		t.create(t.endpoint("bare.*"))
		t.want("Match", t.matches("bare"))
	}},
	{"a pattern matches whole words", func(t *trial) {
		t.create(t.endpoint("whole.*"))
		t.want("Match", t.matches("wholesale.event"))
	}},
	{`"*" matches every type`, func(t *trial) {
		t.create(t.endpoint("*"))
		for _, typ := range []string{"any", "any.type.at.all"} {
			t.want("Match of "+typ, t.matches(typ), number(1)...)
		}
	}},
	{"types are compared with regard to case", func(t *trial) {
		t.create(t.endpoint("Upper.event", "Upper.*"))
		t.want("Match", t.matches("upper.event"))
	}},
	{"marks of other pattern languages stand for themselves", func(t *trial) {
		for _, pattern := range []string{"m_rk.event", "m%k.event", "m?rk.event", "m[a]rk.event", `m\ark.event`} {
			t.create(t.endpoint(pattern))
			t.want("Match of "+pattern, t.matches(pattern), number(t.count)...)
		}
		t.want("Match of mark.event", t.matches("mark.event"))
	}},
	{"Match finds an endpoint once", func(t *trial) {
		t.create(t.endpoint("once.event", "once.*", "*"))
		t.want("Match", t.matches("once.event"), number(1)...)
	}},
	{"Match finds the endpoints of the owner only", func(t *trial) {
		t.owned("other", someOwner, "")
		t.want("Match", t.matches(someType), number(2)...)
	}},
	{"Match finds the endpoints of nobody by an empty owner", func(t *trial) {
		t.owned("other", "")
		targets, err := t.store.Match(t.Context(), "", someType)
		if err != nil || len(targets) != 1 || targets[0].ID != number(2)[0] {
			t.Errorf("Match returned %v, %v", targets, err)
		}
	}},
	{"Match finds paused endpoints", func(t *trial) {
		e := t.endpoint()
		e.State = publish.Paused
		t.create(e)
		t.want("Match", t.matches(someType), e.ID)
	}},
	{"Match does not find disabled endpoints", func(t *trial) {
		e := t.endpoint()
		e.State = publish.Disabled
		t.create(e)
		t.want("Match", t.matches(someType))
	}},
	{"Match goes by the State that Update has stored", func(t *trial) {
		e := t.some()
		t.update(e.ID, func(e *publish.Endpoint) { e.State = publish.Disabled })
		t.want("Match of a disabled one", t.matches(someType))
		t.update(e.ID, func(e *publish.Endpoint) { e.State = publish.Active })
		t.want("Match of an active one", t.matches(someType), e.ID)
	}},
	{"Match returns the lanes", func(t *trial) {
		e := t.endpoint()
		e.Lanes = 5
		t.create(e)
		targets, err := t.store.Match(t.Context(), someOwner, someType)
		if err != nil || len(targets) != 1 || targets[0].Lanes != 5 {
			t.Errorf("Match returned %+v, %v", targets, err)
		}
	}},
	{"Match returns endpoints in the order of their creation", func(t *trial) {
		for _, id := range []string{"c", "a", "b"} {
			e := t.endpoint([]string{"*", "sorted.event", "sorted.*"}[t.count])
			e.ID = id
			t.create(e)
		}
		t.want("Match", t.matches("sorted.event"), "c", "a", "b")
	}},
	{"Match refuses what is no type", func(t *trial) {
		for _, typ := range []string{"", "*", "a.*", ".a", "a..b", "a b", "a\x00b", "a\xffb", strings.Repeat("t", 256)} {
			_, err := t.store.Match(t.Context(), someOwner, typ)
			t.wantError(fmt.Sprintf("Match of %.20q", typ), err, publish.ErrEvent)
		}
	}},
	{"Match finds many endpoints", func(t *trial) {
		const n = 120
		for range n {
			t.create(t.endpoint("many.*"))
		}
		if found := len(t.matches("many.event")); found != n {
			t.Errorf("Match found %d endpoints, want %d", found, n)
		}
	}},
}
