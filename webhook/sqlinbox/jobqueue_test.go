package sqlinbox

import (
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestABatchWaitsForOneThatIsAloneAtMost(t *testing.T) {
	q := newJobQueue()
	add := func(n int, alone bool) {
		for range n {
			if _, err := q.add(&job{put: &entry{delivery: new(webhook.Delivery)}, alone: alone}); err != nil {
				t.Fatal(err)
			}
		}
	}
	add(5, true)
	add(3, false)
	var sizes []int
	for batch := q.next(); batch != nil; batch = q.next() {
		for _, j := range batch {
			if j.alone != batch[0].alone || j.alone && len(batch) > 1 {
				t.Error("one that is alone shares a batch")
			}
		}
		if sizes = append(sizes, len(batch)); len(sizes) == 2 {
			add(2, false)
		}
	}
	want := []int{1, 3, 1, 2, 1, 1, 1}
	if len(sizes) != len(want) {
		t.Fatalf("batches of %v, want %v", sizes, want)
	}
	for i := range want {
		if sizes[i] != want[i] {
			t.Fatalf("batches of %v, want %v", sizes, want)
		}
	}
	if q.running {
		t.Error("the queue counts on a goroutine that has ended")
	}
}
