package webhook_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// Each tenant has a path, and its secret is in a table, here a map in place of a
// database. The scope is what the table was asked for, so that tenants share no keys.
func ExampleSource_tenants() {
	secrets := map[string]webhook.Secret{"acme": webhook.NewSecret("one"), "bolt": webhook.NewSecret("two")}
	src := webhook.Source{
		Name: "shop",
		Verifier: &webhook.HMAC{
			Header: "X-Signature",
			KeysFor: func(r *http.Request) ([]webhook.Key, error) {
				tenant := r.PathValue("tenant")
				secret, ok := secrets[tenant]
				if !ok {
					return nil, nil // 401
				}
				return []webhook.Key{{Label: tenant, Secret: secret}}, nil
			},
		},
		Describe: func(r *http.Request, _ []byte) webhook.Description {
			return webhook.Description{Type: "shop.order", ID: r.Header.Get("X-Id"), OrderingKey: "order 7"}
		},
		Scope: func(r *http.Request) string { return r.PathValue("tenant") },
	}
	handle := func(_ context.Context, d *webhook.Delivery) error {
		fmt.Println(d.KeyLabel, d.OrderingKey, d.DedupKeys)
		return nil
	}
	mux := http.NewServeMux()
	mux.Handle("/hooks/{tenant}", webhook.NewReceiver(src, webhook.HandlerFunc(handle)))

	send := func(tenant, secret string) {
		r := httptest.NewRequest("POST", "/hooks/"+tenant, strings.NewReader("{}"))
		r.Header.Set("X-Id", "1001")
		sender := &webhook.HMAC{Header: "X-Signature", Keys: webhook.Keys(webhook.NewSecret(secret))}
		if err := sender.Sign(r, []byte("{}")); err != nil {
			fmt.Println(err)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(tenant, w.Code)
	}
	send("acme", "one")
	send("bolt", "two")
	send("bolt", "one")
	send("corp", "one")
	// Output:
	// acme acme|order 7 [acme|id:1001]
	// acme 202
	// bolt bolt|order 7 [bolt|id:1001]
	// bolt 202
	// bolt 401
	// corp 401
}
