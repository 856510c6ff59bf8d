package rabbitmq

import (
	"fmt"
	"hash/fnv"

	"github.com/hookhouse/hookhouse/webhook"
)

// MaxPartitions is the largest number of partitions.
const MaxPartitions = 256

// Queues returns the names of the queues that a queue has as partitions: the name itself for one
// partition, and for four of "hooks": hooks.1-of-4 to hooks.4-of-4. Each of them needs a
// [Consumer], in any process. Zero means 1. Queues panics on a number that is negative or
// over [MaxPartitions].
//
// The names have the number in them, so that a program with another number finds no queue and
// fails. To change it, stop the publishers, let the consumers empty the queues, and start with
// the queues of the new number.
func Queues(queue string, partitions int) []string {
	switch {
	case partitions < 0 || partitions > MaxPartitions:
		panic(fmt.Sprintf("rabbitmq: %d partitions are not between 1 and %d", partitions, MaxPartitions))
	case partitions <= 1:
		return []string{queue}
	}
	names := make([]string, partitions)
	for i := range names {
		names[i] = fmt.Sprintf("%s.%d-of-%d", queue, i+1, partitions)
	}
	return names
}

// DeadQueue returns the name of the dead queue of one of [Queues]: <queue>.dead.
func DeadQueue(queue string) string { return queue + ".dead" }

// partition returns the partition of d among n: a hash of Source and ordering key, which never
// changes. Deliveries without an ordering key are spread by their UID.
func partition(d *webhook.Delivery, n int) int {
	if n <= 1 {
		return 0
	}
	key := d.OrderingKey
	if key == "" {
		key = d.UID
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%d:%s%s", len(d.Source), d.Source, key) // never fails
	return int(h.Sum64() % uint64(n))
}
