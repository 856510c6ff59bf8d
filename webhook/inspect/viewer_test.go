package inspect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// What waits for a viewer is bounded over all looks, and what is lost is counted once.
func TestWhatWaitsForAViewerIsBounded(t *testing.T) {
	v := newViewer(webhook.Filter{})
	v.offer(&sharing{filter: v.filter})
	for n := range 30 {
		var l look
		for i := range 10 {
			l.changed = append(l.changed, webhook.Record{Delivery: &webhook.Delivery{UID: fmt.Sprint(n, " ", 9-i)}})
		}
		v.offer(&sharing{filter: v.filter, look: l})
		v.offer(&sharing{filter: v.filter, look: l}) // the same ones again take no place
		if len(v.pending.records) > maxPending {
			t.Fatalf("%d changes wait", len(v.pending.records))
		}
	}
	u, ok := taken(t, v)
	if !ok || len(u.Deliveries) != 100 || u.Dropped != 200 || u.Deliveries[0].UID != "20 0" || u.Deliveries[99].UID != "29 9" {
		t.Errorf("%d deliveries from %q, and %d dropped, want the last 100 of 300", len(u.Deliveries), u.Deliveries[0].UID, u.Dropped)
	}
	if u, ok := taken(t, v); ok {
		t.Errorf("and again: %+v", u)
	}
}

// A busy inbox must not take the place of the few deliveries that a viewer lists.
func TestWhatAViewerDoesNotListMakesRoomFirst(t *testing.T) {
	v := newViewer(webhook.Filter{Type: "rare"})
	v.offer(&sharing{filter: v.filter})
	l := look{changed: []webhook.Record{{Delivery: &webhook.Delivery{UID: "new", Type: "rare"}}}}
	for i := range 500 {
		l.changed = append(l.changed, webhook.Record{Delivery: &webhook.Delivery{UID: fmt.Sprint(i), Type: "often"}})
		if i == 250 || i == 499 {
			l.changed = append(l.changed, webhook.Record{Delivery: &webhook.Delivery{UID: fmt.Sprint("rare ", i), Type: "rare"}})
		}
	}
	v.offer(&sharing{filter: v.filter, look: l})
	if u, _ := taken(t, v); len(u.Deliveries) != 3 || u.Deliveries[0].UID != "rare 499" || u.Deliveries[2].UID != "new" || len(u.Gone) != 97 || u.Dropped != 403 {
		t.Errorf("%d deliveries, %d gone, %d dropped, want the 3 that match", len(u.Deliveries), len(u.Gone), u.Dropped)
	}
}

// taken reads what is pending for a viewer.
func taken(t *testing.T, v *viewer) (u update, ok bool) {
	t.Helper()
	event, ok := v.take()
	if !ok {
		return u, false
	}
	data, found := bytes.CutPrefix(event, []byte("data: "))
	if err := json.Unmarshal(data, &u); err != nil || !found || !bytes.HasSuffix(event, []byte("\n\n")) {
		t.Fatalf("%v: %q", err, event)
	}
	return u, true
}
