package webhook_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// Ticket is the payload of this example.
type Ticket struct {
	Title string `json:"title"`
}

func (Ticket) EventType() string { return "desk.ticket" }

// An http.Handler of your own, behind verification. The body can be read
// again, and the delivery is in the context.
func ExampleSource_Middleware() {
	desk := webhook.Source{
		Name:     "desk",
		Verifier: &webhook.Token{Header: "X-Desk-Token", Keys: webhook.Keys(webhook.NewSecret("s3cret"))},
	}
	handler := desk.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, _ := webhook.DeliveryFromContext(r.Context())
		ticket, err := webhook.Decode[Ticket](d)
		if err != nil {
			w.WriteHeader(webhook.StatusCode(err))
			return
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Printf("%d bytes: %s\n", len(body), ticket.Payload.Title)
		w.WriteHeader(http.StatusNoContent)
	}))

	for _, token := range []string{"s3cret", "guessed"} {
		r := httptest.NewRequest("POST", "/hooks/desk", strings.NewReader(`{"title": "printer on fire"}`))
		r.Header.Set("X-Desk-Token", token)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// 28 bytes: printer on fire
	// 204
	// 401
}
