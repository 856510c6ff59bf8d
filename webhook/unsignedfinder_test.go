package webhook_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

var _ webhook.UnsignedFinder = (*webhook.MemInbox)(nil)

func TestAMemInboxSaysWhatIsNotSigned(t *testing.T) {
	var inbox webhook.MemInbox
	var uids []string
	for _, why := range []string{"", "read from an API", ""} {
		d := webhook.NewDelivery("shop", "shop.order", "key", []byte("{}"))
		d.Unsigned = why
		if err := inbox.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		uids = append(uids, d.UID)
	}
	got, err := inbox.Unsigned(t.Context(), append(uids, "nobody"))
	if d := cmp.Diff(map[string]string{uids[1]: "read from an API"}, got); err != nil || d != "" {
		t.Errorf("%v: -want +got\n%s", err, d)
	}
	if got, err := inbox.Unsigned(t.Context(), uids[:1]); err != nil || len(got) != 0 {
		t.Errorf("of one that is signed: %v, %v", got, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := inbox.Unsigned(ended, uids); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}
