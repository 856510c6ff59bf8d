package webhook_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inboxtest"
)

func TestMemInboxKeepsTheLawsInFakeTime(t *testing.T) {
	inboxtest.RunSynctest(t, func(*testing.T) webhook.Inbox { return &webhook.MemInbox{} })
}

func TestMemInboxKeepsTheLawsInRealTime(t *testing.T) {
	inboxtest.Run(t, func(*testing.T) webhook.Inbox { return &webhook.MemInbox{} })
}

func TestMemInboxKeepsTheLawsOfAnAdmin(t *testing.T) {
	open := func(*testing.T) webhook.Inbox { return &webhook.MemInbox{} }
	sweeping := func(_ *testing.T, retention, deadRetention time.Duration) webhook.Inbox {
		return &webhook.MemInbox{Retention: retention, DeadRetention: deadRetention, Logger: quiet}
	}
	t.Run("in fake time", func(t *testing.T) { inboxtest.RunAdminSynctest(t, open) })
	t.Run("in real time", func(t *testing.T) { inboxtest.RunAdmin(t, open) })
	t.Run("attempts in fake time", func(t *testing.T) { inboxtest.RunAttemptsSynctest(t, sweeping) })
	t.Run("attempts in real time", func(t *testing.T) { inboxtest.RunAttempts(t, sweeping) })
}

// finish claims what is due and ends all of it.
func finish(t *testing.T, in webhook.Inbox, s webhook.State) int {
	t.Helper()
	claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range claims {
		settle(t, in, c, webhook.Outcome{State: s})
	}
	return len(claims)
}

func TestMemInboxFirstDueOfRetriesOutOfOrderRunsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		putDelivery(t, in, "soon", keyed("key"))
		putDelivery(t, in, "later", keyed("key"))
		putDelivery(t, in, "done", keyed("key"))
		for _, o := range []webhook.Outcome{
			{State: webhook.Waiting, RetryOutOfOrder: true, Delay: time.Minute},
			{State: webhook.Waiting, RetryOutOfOrder: true, Delay: time.Hour},
			{State: webhook.Done},
		} {
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 9})
			if err != nil {
				t.Fatal(err)
			}
			if len(claims) != 1 {
				t.Fatalf("len(claims) = %d, want 1: %v", len(claims), claims)
			}
			settle(t, in, claims[0], o)
		}
		for _, step := range []struct {
			after time.Duration
			uid   string
		}{{time.Minute, "soon"}, {time.Hour, "later"}} {
			advance(step.after)
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 9})
			if err != nil {
				t.Fatal(err)
			}
			if len(claims) != 1 {
				t.Fatalf("len(claims) = %d, want 1: %v", len(claims), claims)
			}
			if claims[0].Delivery.UID != step.uid {
				t.Fatalf("claims[0].Delivery.UID = %q, want %q", claims[0].Delivery.UID, step.uid)
			}
			settle(t, in, claims[0], webhook.Outcome{State: webhook.Done})
		}
	})
}

func TestMemInboxRevivedDeliveryIsTheYoungest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		d := putDelivery(t, in, "a", func(d *webhook.Delivery) { d.ID, d.DedupKeys = "id", []string{"id:id"} })
		finish(t, in, webhook.Dead)
		putDelivery(t, in, "b", nil)
		again := *d
		again.UID = "redelivered"
		if got := stateOf(t, in, &again); got != webhook.Waiting {
			t.Fatalf("stateOf(in, &again) = %q, want %q", got, webhook.Waiting)
		}
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 9})
		if err != nil {
			t.Fatal(err)
		}
		if len(claims) != 2 {
			t.Fatalf("len(claims) = %d, want 2: %v", len(claims), claims)
		}
		if claims[0].Delivery.UID != "b" {
			t.Fatalf("claims[0].Delivery.UID = %q, want \"b\"", claims[0].Delivery.UID)
		}
	})
}

// TestMemInboxUnderLoad ends with everything done and every key in order.
func TestMemInboxUnderLoad(t *testing.T) {
	const senders, each, keys = 8, 100, 5
	in := &webhook.MemInbox{}
	var (
		putting, working sync.WaitGroup
		mu               sync.Mutex
		last             = make(map[string]string)
	)
	for s := range senders {
		putting.Go(func() {
			for i := range each {
				d := &webhook.Delivery{UID: fmt.Sprintf("%d-%03d", s, i), Source: fmt.Sprint(s), OrderingKey: fmt.Sprint(i % keys)}
				if err := in.Put(t.Context(), d); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 4 {
		working.Go(func() {
			for counts(t, in)[webhook.Done] < senders*each && !t.Failed() {
				claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 7})
				if err != nil {
					t.Error(err)
				}
				for _, c := range claims {
					mu.Lock()
					name := c.Delivery.Source + "/" + c.Delivery.OrderingKey
					if c.Delivery.UID <= last[name] {
						t.Errorf("%s came after %s", c.Delivery.UID, last[name])
					}
					last[name] = c.Delivery.UID
					mu.Unlock()
					if _, err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Done}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	putting.Wait()
	working.Wait()
}
