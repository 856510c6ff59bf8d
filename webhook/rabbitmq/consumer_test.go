package rabbitmq_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDeliveryComesBackWhole(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	d := delivery("repo/main", "\x00body\xff")
	d.ReceivedAt = d.ReceivedAt.Truncate(time.Microsecond)
	d.ID, d.DedupKeys = "id-1", []string{"acme:id-1"}
	d.Header = map[string][]string{"X-Raw": {"caf\xe9"}}
	publish(t, newPublisher(t, node, queue), d)
	c := run(t, newConsumer(t, node, queue))
	got := claim(t, c)
	if diff := cmp.Diff(d, got.Delivery); diff != "" {
		t.Error(diff)
	}
	settle(t, c, got, done)
	settle(t, c, got, done) // again
}
