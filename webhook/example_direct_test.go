package webhook_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// Order is the payload of a sender of our own. The type names its route.
type Order struct {
	Number int    `json:"number"`
	Status string `json:"status"`
}

func (Order) EventType() string { return "shop.order" }

// A callback that runs inside the request: its error answers the sender.
func ExampleNewReceiver() {
	verifier := &webhook.HMAC{
		Header: "X-Shop-Signature",
		Prefix: "sha256=",
		Keys:   webhook.Keys(webhook.NewSecret("keep this in the environment")),
	}
	shop := webhook.Source{
		Name:     "shop",
		Verifier: verifier,
		Describe: func(*http.Request, []byte) webhook.Description {
			return webhook.Description{Type: "shop.order"}
		},
	}
	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, e *webhook.Event[Order]) error {
		fmt.Printf("order %d is %s\n", e.Payload.Number, e.Payload.Status)
		return nil
	})
	receiver := webhook.NewReceiver(shop, &mux)

	body := `{"number": 7, "status": "paid"}`
	r := httptest.NewRequest("POST", "/hooks/shop", strings.NewReader(body))
	if err := verifier.Sign(r, []byte(body)); err != nil { // what the sender does
		fmt.Println(err)
	}
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output:
	// order 7 is paid
	// 202
}
