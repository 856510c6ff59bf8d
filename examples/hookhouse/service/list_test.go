package service_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// fill stores deliveries of two types. A few are done, and have a reason.
func fill(t *testing.T, inbox *webhook.MemInbox, n int) {
	t.Helper()
	for i := range n {
		d := webhook.NewDelivery("shop", "shop.order", fmt.Sprint("key ", i%3), []byte("body\x00\xff"))
		if i%5 == 0 {
			d.Type = "shop.refund"
		}
		d.ID = fmt.Sprint("id-", i)
		if err := inbox.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if i >= 10 {
			continue
		}
		claims, err := inbox.Claim(t.Context(), webhook.ClaimOptions{By: "worker-1"})
		if err != nil || len(claims) != 1 {
			t.Fatal(err)
		}
		if _, err := inbox.Settle(t.Context(), claims[0], webhook.Outcome{State: webhook.Dead, Reason: fmt.Sprint("No ", i)}); err != nil {
			t.Fatal(err)
		}
	}
}

func uidsOf(t *testing.T, list iter.Seq2[webhook.Record, error]) (all []string) {
	t.Helper()
	for r, err := range list {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r.Delivery.UID)
	}
	return all
}

// TestAllIsThatOfTheInbox: for each filter the service lists what its inbox does.
func TestAllIsThatOfTheInbox(t *testing.T) {
	inbox, in := newInspector(t)
	c := serve(t, in)
	if got := uidsOf(t, c.All(t.Context(), webhook.Filter{})); len(got) > 0 {
		t.Errorf("an empty inbox has %v", got)
	}
	fill(t, inbox, 450) // three pages
	var some webhook.Record
	for r, err := range inbox.All(t.Context(), webhook.Filter{ID: "id-5"}) {
		some = r
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, f := range map[string]webhook.Filter{
		"all":                 {},
		"the newest":          {Limit: 7},
		"more than a page":    {Limit: 201},
		"source":              {Source: "shop"},
		"another source":      {Source: "github"},
		"type":                {Type: "shop.refund"},
		"key":                 {OrderingKey: "key 1", Limit: 100},
		"id":                  {ID: "id-17"},
		"states":              {States: []webhook.State{webhook.Dead, webhook.Claimed}},
		"text":                {Text: "nO 1"},
		"before":              {Before: 100},
		"after":               {After: 100},
		"between":             {After: 100, Before: 400, Limit: 250},
		"since":               {From: time.Now().Add(-time.Hour)},
		"until":               {To: time.Now().Add(-time.Hour)},
		"uid":                 {UID: some.Delivery.UID},
		"uid of another type": {UID: some.Delivery.UID, Type: "shop.order"},
		"uid and text":        {UID: some.Delivery.UID, Text: "no 5"},
		"no such uid":         {UID: "00ff"},
	} {
		t.Run(name, func(t *testing.T) {
			want, got := uidsOf(t, inbox.All(t.Context(), f)), uidsOf(t, c.All(t.Context(), f))
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("-inbox +service\n%s", d)
			}
		})
	}
}

// TestGetIsThatOfTheInbox: but for the body and the fence.
func TestGetIsThatOfTheInbox(t *testing.T) {
	inbox, in := newInspector(t)
	c := serve(t, in)
	fill(t, inbox, 11)
	for _, uid := range uidsOf(t, inbox.All(t.Context(), webhook.Filter{})) {
		if n, err := inbox.Replay(t.Context(), webhook.Filter{UID: uid}, webhook.Note{By: "ann", Why: "again"}); n == 0 && uid == "" {
			t.Fatal(err)
		}
		want, err := inbox.Get(t.Context(), uid)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Get(t.Context(), uid)
		if err != nil {
			t.Fatal(err)
		}
		body, err := c.Body(t.Context(), uid, got.Size)
		if err != nil || string(body) != string(want.Delivery.Body) {
			t.Errorf("body %q, %v", body, err)
		}
		want.Fence, want.Delivery.Body = 0, nil
		if !want.Expires.IsZero() {
			want.Due = time.Time{}
		}
		if want.State.Final() {
			want.Due = time.Time{}
		}
		for i := range want.Attempts {
			want.Attempts[i].Took = want.Attempts[i].Took.Truncate(time.Microsecond)
		}
		same := cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })
		if d := cmp.Diff(want, got, same, cmp.Comparer(func(a, b error) bool { return fmt.Sprint(a) == fmt.Sprint(b) })); d != "" {
			t.Errorf("-inbox +service\n%s", d)
		}
	}
}

func TestActsAreThoseOfTheInbox(t *testing.T) {
	inbox, in := newInspector(t)
	c := serve(t, in)
	fill(t, inbox, 12)
	ctx, n := context.Background(), webhook.Note{By: "ops", Why: "a test"}
	var dead, waiting string
	var seq int64
	for r := range inbox.All(ctx, webhook.Filter{}) {
		if r.State == webhook.Dead {
			dead, seq = r.Delivery.UID, r.Seq
		} else {
			waiting = r.Delivery.UID
		}
	}
	state := func(uid string) webhook.State {
		r, err := inbox.Get(ctx, uid)
		if err != nil {
			t.Fatal(err)
		}
		return r.State
	}
	for _, err := range []error{
		c.Replay(ctx, dead, seq, n), c.Release(ctx, waiting, n), c.Bury(ctx, waiting, n), c.Pause(ctx, "shop.order", n), c.Pause(ctx, "", n), c.Resume(ctx, "", n),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if state(dead) != webhook.Waiting || state(waiting) != webhook.Dead {
		t.Errorf("the replayed one is %s, and the buried one %s", state(dead), state(waiting))
	}
	if err := c.Replay(ctx, dead, seq, n); !errors.Is(err, webhook.ErrNotFound) && !errors.Is(err, webhook.ErrState) {
		t.Errorf("the same replay again: %v", err)
	}
	o, readOnly, err := c.Overview(ctx)
	if err != nil || readOnly || len(o.Paused) != 1 || o.Paused[0].Type != "shop.order" || o.Paused[0].Why != "a test" || o.Count[webhook.Dead] != (webhook.Count{N: 10}) {
		t.Errorf("%+v, %v, %v", o, readOnly, err)
	}
}

func TestTheLiveListBeginsWithTheNewestAndThenHasWhatChanges(t *testing.T) {
	inbox, in := newInspector(t)
	c := serve(t, in)
	fill(t, inbox, 3)
	s, err := c.Live(t.Context(), webhook.Filter{Source: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	u, err := s.Next()
	if err != nil || len(u.Deliveries) != 3 || u.Lost {
		t.Fatalf("%+v, %v", u, err)
	}
	d := webhook.NewDelivery("shop", "shop.order", "new", nil)
	if err := inbox.Put(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	u, err = s.Next()
	if err != nil || len(u.Deliveries) != 1 || u.Deliveries[0].Delivery.UID != d.UID {
		t.Fatalf("%+v, %v", u, err)
	}
}
