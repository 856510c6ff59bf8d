package webhook_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestMemInboxOlderRetryOfABurstDoesNotSupersedeAYoungerDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		putDelivery(t, in, "older", func(d *webhook.Delivery) {
			d.OrderingKey, d.Coalesce = "key", webhook.Coalesce{Quiet: time.Second}
		})
		advance(time.Second)
		for _, o := range []webhook.Outcome{
			{State: webhook.Waiting, RetryOutOfOrder: true, Delay: time.Hour}, // the older
			{State: webhook.Waiting}, // the younger, which passed it
		} {
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 9})
			if err != nil {
				t.Fatal(err)
			}
			if len(claims) != 1 {
				t.Fatalf("len(claims) = %d, want 1: %v", len(claims), claims)
			}
			settle(t, in, claims[0], o)
			if o.RetryOutOfOrder {
				putDelivery(t, in, "younger", keyed("key"))
			}
		}
		if got := stateOf(t, in, &webhook.Delivery{UID: "younger"}); got != webhook.Waiting {
			t.Fatalf(`stateOf(in, &webhook.Delivery{UID: "younger"}) = %q, want %q`, got, webhook.Waiting)
		}
	})
}

func TestMemInboxNewestOfABurstSupersedesAnExpiredClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		coalesce := func(d *webhook.Delivery) {
			d.OrderingKey, d.Coalesce = "key", webhook.Coalesce{Quiet: time.Second}
		}
		expired := putDelivery(t, in, "expired", coalesce)
		advance(time.Second)
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 9, Lease: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if len(claims) != 1 {
			t.Fatalf("len(claims) = %d, want 1: %v", len(claims), claims)
		}
		older := putDelivery(t, in, "older", coalesce)
		putDelivery(t, in, "newest", coalesce)
		if got := stateOf(t, in, older); got != webhook.Superseded {
			t.Fatalf("stateOf(in, older) = %q, want %q", got, webhook.Superseded)
		}
		advance(time.Minute)
		claims, err = in.Claim(t.Context(), webhook.ClaimOptions{N: 9})
		if err != nil {
			t.Fatal(err)
		}
		if len(claims) != 1 {
			t.Fatalf("len(claims) = %d, want 1: %v", len(claims), claims)
		}
		if claims[0].Delivery.UID != "newest" {
			t.Fatalf("claims[0].Delivery.UID = %q, want \"newest\"", claims[0].Delivery.UID)
		}
		if got := stateOf(t, in, expired); got != webhook.Superseded {
			t.Fatalf("stateOf(in, expired) = %q, want %q", got, webhook.Superseded)
		}
	})
}

func TestMemInboxRetryIsNotPartOfTheNextBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		coalesce := func(d *webhook.Delivery) {
			d.OrderingKey, d.Coalesce = "key", webhook.Coalesce{Quiet: time.Second, Max: 3 * time.Second}
		}
		putDelivery(t, in, "old", coalesce)
		advance(time.Second)
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{})
		if err != nil {
			t.Fatal(err)
		}
		settle(t, in, claims[0], webhook.Outcome{State: webhook.Waiting, Delay: time.Hour})
		advance(time.Minute)
		putDelivery(t, in, "new", coalesce)
		if got := finish(t, in, webhook.Done); got != 0 {
			t.Fatalf("its own burst has just begun: finish(in, webhook.Done) = %d, want 0", got)
		}
		advance(time.Second)
		if got := finish(t, in, webhook.Done); got != 1 {
			t.Fatalf("finish(in, webhook.Done) = %d, want 1", got)
		}
	})
}
