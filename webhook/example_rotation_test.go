package webhook_test

import (
	"fmt"
	"net/http/httptest"
	"sync/atomic"

	"github.com/hookhouse/hookhouse/webhook"
)

// A secret is replaced without a restart: both are accepted until no delivery
// has the label of the old one.
func ExampleHMAC_rotation() {
	old := webhook.Key{Label: "2025", Secret: webhook.NewSecret("old")}
	next := webhook.Key{Label: "2026", Secret: webhook.NewSecret("next")}
	var live atomic.Pointer[[]webhook.Key] // stored by whatever watches the vault
	live.Store(&[]webhook.Key{old})

	src := webhook.Source{
		Name: "shop",
		Verifier: &webhook.HMAC{
			Header:   "X-Signature",
			KeysFunc: func() []webhook.Key { return *live.Load() },
		},
	}
	if err := src.Validate(); err != nil {
		fmt.Println(err)
	}
	call := func(with webhook.Key) {
		r := httptest.NewRequest("POST", "/", nil)
		sender := &webhook.HMAC{Header: "X-Signature", Keys: []webhook.Key{with}}
		if err := sender.Sign(r, []byte("{}")); err != nil {
			fmt.Println(err)
		}
		d, err := src.Open(r, []byte("{}"))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("matched", d.KeyLabel)
	}
	call(old)
	live.Store(&[]webhook.Key{next, old})
	call(old)
	call(next)
	live.Store(&[]webhook.Key{next})
	call(old)
	// Output:
	// matched 2025
	// matched 2025
	// matched 2026
	// shop: webhook: not verified: X-Signature matches no live key (1 tried)
}
