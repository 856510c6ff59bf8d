package inspect

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// lookOf returns a look at n deliveries, which have all changed.
func lookOf(n int) (l look) {
	for i := range n {
		d := &webhook.Delivery{UID: fmt.Sprintf("uid%d", i), Source: "shop", Type: "shop.order", OrderingKey: fmt.Sprint("order ", i)}
		l.changed = append(l.changed, webhook.Record{Delivery: d, Seq: int64(n - i), State: webhook.Waiting, Size: 200})
	}
	return l
}

// Viewers with the same filter get the same bytes, which are made once, and what one of them
// still has pending is its own.
func TestViewersWithTheSameFilterShareAnEvent(t *testing.T) {
	same := webhook.Filter{Type: "shop.order", States: []webhook.State{webhook.Waiting}}
	a, b, late, other := newViewer(same), newViewer(same), newViewer(same), newViewer(webhook.Filter{Type: "x"})
	offer := func(l look, to ...*viewer) {
		shared := make(map[string]*sharing)
		for _, v := range to {
			if shared[v.key] == nil {
				shared[v.key] = &sharing{filter: v.filter, look: l}
			}
			v.offer(shared[v.key])
		}
	}
	offer(look{}, a, b, late, other) // the greeting
	offer(lookOf(3), a, b, late, other)
	ofA, _ := a.take()
	ofB, _ := b.take()
	ofOther, _ := other.take()
	if len(ofA) == 0 || &ofA[0] != &ofB[0] {
		t.Errorf("two viewers get %q and %q", ofA, ofB)
	}
	if bytes.Contains(ofOther, []byte(`"uid"`)) || bytes.Count(ofOther, []byte("delivery?uid=")) != 3 {
		t.Errorf("one with another filter gets %q", ofOther)
	}
	offer(lookOf(4), a, b, late)
	ofA, _ = a.take()
	ofB, _ = b.take()
	ofLate, _ := late.take()
	if len(ofA) == 0 || &ofA[0] != &ofB[0] || !bytes.Equal(ofLate, ofA) || &ofLate[0] == &ofA[0] {
		t.Errorf("one that had something pending gets\n%s, and the others\n%s", ofLate, ofA)
	}
}

// BenchmarkUpdateForViewers is an update with 50 deliveries, four of which come a second.
func BenchmarkUpdateForViewers(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var viewers []*viewer
			for range n {
				v := newViewer(webhook.Filter{Limit: defaultPage})
				v.offer(&sharing{filter: v.filter})
				viewers = append(viewers, v)
			}
			l := lookOf(50)
			b.ReportAllocs()
			for b.Loop() {
				shared := &sharing{filter: viewers[0].filter, look: l}
				for _, v := range viewers {
					v.offer(shared)
					if _, ok := v.take(); !ok {
						b.Fatal("no update")
					}
				}
			}
		})
	}
}
