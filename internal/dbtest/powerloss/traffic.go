package powerloss

import (
	"fmt"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// delivery is the n-th of a sender.
func (r *run) delivery(sender, n int) *webhook.Delivery {
	return &webhook.Delivery{
		UID: fmt.Sprintf("uid-%d-%d", sender, n), Source: "power", Type: "power.loss", OrderingKey: key(sender, n),
		DedupKeys: []string{fmt.Sprintf("mark-%d-%d", sender, n)}, Body: []byte(r.body(sender, n)), ReceivedAt: time.Now(),
	}
}

// key returns the ordering key. Half of the deliveries have none.
func key(sender, n int) string {
	if n%2 == 0 {
		return ""
	}
	return fmt.Sprint("key", sender%3)
}

// body returns a body of a content and a length of its own.
func (r *run) body(sender, n int) string {
	size := r.Body >> (uint(n) % 4)
	return fmt.Sprintf("%d %d %s", sender, n, strings.Repeat(string(rune('a'+(sender+n)%26)), size))
}
