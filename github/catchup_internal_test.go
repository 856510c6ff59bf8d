package github

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestACollectorKeepsTheOldestCallsInBoundedMemory(t *testing.T) {
	at := func(n int) time.Time { return time.Unix(int64(n), 0) }
	c := newCollector(3)
	for n := 10; n > 0; n-- { // newest first, as a list
		c.add(hookDelivery{ID: int64(n), GUID: fmt.Sprint("guid ", n), DeliveredAt: at(n)})
	}
	c.add(hookDelivery{ID: 1, GUID: "guid 3", DeliveredAt: at(0)}) // its first call
	if len(c.byGUID) != 3 || len(c.order) != 3 {
		t.Errorf("it keeps %d and %d calls, want 3", len(c.byGUID), len(c.order))
	}
	got, more, beyond := c.oldest()
	want := []missingCall{
		{guid: "guid 3", id: 3, first: at(0)},
		{guid: "guid 1", id: 1, first: at(1)},
		{guid: "guid 2", id: 2, first: at(2)},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(missingCall{})); diff != "" || !more || !beyond.Equal(at(4)) {
		t.Errorf("more %v, beyond %v, calls (-want +got):\n%s", more, beyond, diff)
	}
}

func TestAPositionIsReadAsItIsWritten(t *testing.T) {
	p := position{upto: time.Unix(2, 3).UTC(), since: time.Unix(1, 999).UTC()}
	got, ok := parsePosition(p.String())
	if diff := cmp.Diff(p, got, cmp.AllowUnexported(position{})); diff != "" || !ok {
		t.Errorf("%v (-want +got):\n%s", ok, diff)
	}
	for _, text := range []string{"", "1", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z yesterday"} {
		if _, ok := parsePosition(text); ok {
			t.Errorf("%q is read", text)
		}
	}
}
