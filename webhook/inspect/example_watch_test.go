package inspect_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// The secret was read from a file with its newline, so each call is refused. The inspector says
// why.
func ExampleInspector_Watch() {
	source := func(secret string) webhook.Source {
		return webhook.Source{Name: "shop", Verifier: &webhook.HMAC{Header: "X-Signature", Keys: webhook.Keys(webhook.NewSecret(secret))}}
	}
	ours, theirs := source("secret\n"), source("secret")

	var inbox webhook.MemInbox
	inspector, err := inspect.New(&inbox, inspect.LoopbackOnly)
	if err != nil {
		fmt.Println(err)
		return
	}
	receiver := webhook.NewReceiver(ours, webhook.Store(&inbox))
	receiver.Logger = slog.New(slog.DiscardHandler)
	mux := http.NewServeMux()
	mux.Handle("/hooks/shop", inspector.Watch(ours, receiver))
	mux.Handle("/debug/hooks/", inspector)

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, webhooktest.NewRequest(theirs, "/hooks/shop", []byte(`{"order":7}`)))
	fmt.Println(w.Code)

	r := httptest.NewRequest("GET", "http://localhost/debug/hooks/api/call?n=1", strings.NewReader(""))
	r.RemoteAddr = "127.0.0.1:1234"
	w = httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(regexp.MustCompile(`"cause":"[^"]*"`).FindString(w.Body.String()))
	// Output:
	// 401
	// "cause":"secret_padded"
}
