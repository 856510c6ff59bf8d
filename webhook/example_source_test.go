package webhook_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// A sender without a package is one literal: how it signs, and where it says
// what a request is about.
func ExampleSource() {
	till := webhook.Source{
		Name:         "till",
		MaxBody:      64 << 10,
		ContentTypes: []string{"application/json"},
		Verifier: &webhook.HMAC{
			Header:   "X-Till-Hmac",
			Encoding: webhook.Base64,
			Keys:     webhook.Keys(webhook.NewSecret("s3cret")),
		},
		Describe: func(r *http.Request, _ []byte) webhook.Description {
			return webhook.Description{
				ID:          r.Header.Get("X-Till-Call"), // two calls of one id are one
				Type:        "till." + r.Header.Get("X-Till-Topic"),
				OrderingKey: r.Header.Get("X-Till-Branch"), // in order for each branch
			}
		},
	}
	receiver := webhook.NewReceiver(till, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		fmt.Println(d.Type, d.ID, d.OrderingKey, string(d.Body), d.DedupKeys)
		return nil
	}))

	r := httptest.NewRequest("POST", "/hooks/till", strings.NewReader(`{"sum": 12}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Till-Call", "c-1")
	r.Header.Set("X-Till-Topic", "sale")
	r.Header.Set("X-Till-Branch", "north")
	if err := till.Verifier.(webhook.Signer).Sign(r, []byte(`{"sum": 12}`)); err != nil {
		fmt.Println(err)
	}
	mac, _ := base64.StdEncoding.DecodeString(r.Header.Get("X-Till-Hmac"))
	fmt.Println("signed with", len(mac), "bytes")
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output:
	// signed with 32 bytes
	// till.sale c-1 north {"sum": 12} [id:c-1]
	// 202
}
