package rabbitmq

import (
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"
)

// An origin is a message that a Consumer of this process holds. A Publisher must not publish
// it to the queue that it is in: the Relay that does so would never end, each time with
// another message.
type origin struct{ cluster, vhost, queue, uid string }

// origins counts the claims of this process.
var origins = struct {
	sync.Mutex
	held map[origin]int
}{held: make(map[origin]int)}

func originOf(conn *amqp.Connection, queue, uid string) origin {
	cluster, _ := conn.Properties["cluster_name"].(string)
	return origin{cluster, conn.Config.Vhost, queue, uid}
}

// holds reports whether a Consumer of this process has a claim of the message.
func holds(conn *amqp.Connection, queue, uid string) bool {
	o := originOf(conn, queue, uid)
	origins.Lock()
	defer origins.Unlock()
	return o.cluster != "" && origins.held[o] > 0
}

// addOrigin notes a claim, or with a negative n the end of one.
func addOrigin(o origin, n int) {
	origins.Lock()
	defer origins.Unlock()
	if origins.held[o] += n; origins.held[o] <= 0 {
		delete(origins.held, o)
	}
}
