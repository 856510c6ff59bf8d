package dbtest

import (
	"context"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A keyState is an ordering key with its stored deliveries. They have a type of their
// own.
type keyState struct {
	*pausedStore
	typ    string
	key    string
	claims []webhook.Claim
	last   *webhook.Delivery // that was stored; nil where none was
}

func (c *keyState) delivery(dedupKeys ...string) *webhook.Delivery {
	d := delivery(c.key, dedupKeys...)
	d.Type = c.typ
	return d
}

func (c *keyState) claim(ctx context.Context, in *sqlinbox.Inbox, lease time.Duration) ([]webhook.Claim, error) {
	return in.Claim(ctx, webhook.ClaimOptions{N: 5, Lease: lease, Types: []string{c.typ}})
}

// keyStates prepare the deliveries of a key.
var keyStates = map[string]func(t *testing.T, c *keyState){
	"nothing": func(*testing.T, *keyState) {},
	"a head":  func(t *testing.T, c *keyState) { c.last = put(t, c.other, c.delivery("m"+c.key)) },
	"a claim": func(t *testing.T, c *keyState) {
		c.last = put(t, c.other, c.delivery("m"+c.key))
		c.claims, _ = c.claim(t.Context(), c.other, time.Hour)
	},
	"a claim and two behind": func(t *testing.T, c *keyState) {
		c.last = put(t, c.other, c.delivery("m"+c.key))
		c.claims, _ = c.claim(t.Context(), c.other, time.Hour)
		put(t, c.other, c.delivery())
		put(t, c.other, c.delivery())
	},
	"an expired claim and a burst behind": func(t *testing.T, c *keyState) {
		c.last = put(t, c.other, c.delivery("m"+c.key))
		c.claims, _ = c.claim(t.Context(), c.other, time.Microsecond)
		d := c.delivery()
		d.Coalesce.Quiet = time.Microsecond
		put(t, c.other, d)
	},
	"one that retries out of order": func(t *testing.T, c *keyState) {
		c.last = put(t, c.other, c.delivery("m"+c.key))
		claims, _ := c.claim(t.Context(), c.other, time.Hour)
		if _, err := c.other.Settle(t.Context(), claims[0], webhook.Outcome{State: webhook.Waiting, Delay: time.Hour, RetryOutOfOrder: true}); err != nil {
			t.Fatal(err)
		}
	},
	"a blocked retry": func(t *testing.T, c *keyState) {
		c.last = put(t, c.other, c.delivery("m"+c.key))
		claims, _ := c.claim(t.Context(), c.other, time.Hour)
		if _, err := c.other.Settle(t.Context(), claims[0], webhook.Outcome{State: webhook.Waiting, Delay: time.Hour, RetryOutOfOrder: true}); err != nil {
			t.Fatal(err)
		}
		put(t, c.other, c.delivery())
		put(t, c.other, c.delivery())
	},
	"a dead one": func(t *testing.T, c *keyState) {
		c.last = put(t, c.other, c.delivery("m"+c.key))
		claims, _ := c.claim(t.Context(), c.other, time.Hour)
		settle(t, c.other, claims[0], webhook.Dead)
	},
	"a dead one that coalesces": func(t *testing.T, c *keyState) {
		c.last = c.delivery("m" + c.key)
		c.last.Coalesce.Quiet = time.Microsecond
		put(t, c.other, c.last)
		var claims []webhook.Claim
		waitFor(t, "it is due", func() bool { claims, _ = c.claim(t.Context(), c.other, time.Hour); return len(claims) == 1 })
		settle(t, c.other, claims[0], webhook.Dead)
	},
	"two finished": func(t *testing.T, c *keyState) {
		for range 2 {
			c.last = put(t, c.other, c.delivery())
			claims, _ := c.claim(t.Context(), c.other, time.Hour)
			settle(t, c.other, claims[0], webhook.Done)
		}
	},
}
