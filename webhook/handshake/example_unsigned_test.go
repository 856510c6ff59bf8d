package handshake_test

import (
	"crypto/sha1"
	"fmt"
	"log/slog"
	"net/http/httptest"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/handshake"
)

// silent keeps the refusals of Examples out of the log of a test.
var silent = slog.New(slog.DiscardHandler)

// Meta sends this when a callback URL is saved, with the verify token that was entered
// beside it. Deliveries are signed with the app secret instead.
func ExampleMeta() {
	meta := webhook.Source{
		Name: "meta",
		Verifier: &webhook.HMAC{
			Header: "X-Hub-Signature-256",
			Prefix: "sha256=",
			Keys:   webhook.Keys(webhook.NewSecret("app secret")),
		},
		Handshake: handshake.Meta(webhook.NewSecret("meatyhamhock")),
	}
	receiver := webhook.NewReceiver(meta, webhook.Store(new(webhook.MemInbox)))
	receiver.Logger = silent

	for _, token := range []string{"meatyhamhock", "guessed"} {
		r := httptest.NewRequest("GET", "/hooks/meta?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="+token, nil)
		w := httptest.NewRecorder()
		receiver.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("Content-Type"))
		fmt.Println(w.Body)
	}
	// Output:
	// 200 text/plain; charset=utf-8
	// 1158201444
	// 403 text/plain; charset=utf-8
	// hub.verify_token is missing, repeated or wrong
}

// Microsoft Graph sends this while a subscription is created, and expects the decoded
// token within 10 seconds. Its notifications are not signed: the token in this address
// is a secret of the program's own, and a callback compares clientState.
func ExampleMicrosoftGraph() {
	graph := webhook.Source{
		Name:      "graph",
		Verifier:  &webhook.Token{PathValue: "token", Keys: webhook.Keys(webhook.NewSecret("s3cret"))},
		Handshake: handshake.MicrosoftGraph,
	}
	receiver := webhook.NewReceiver(graph, webhook.Store(new(webhook.MemInbox)))

	r := httptest.NewRequest("POST", "/hooks/graph/s3cret?validationToken=Validation%3A+Testing+client+application+reachability", nil)
	r.Header.Set("Content-Type", "text/plain; charset=utf-8")
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	fmt.Println("X-Content-Type-Options:", w.Header().Get("X-Content-Type-Options"))
	fmt.Println(w.Body)
	// Output:
	// 200 text/plain; charset=utf-8
	// X-Content-Type-Options: nosniff
	// Validation: Testing client application reachability
}

// A CloudEvents sender asks for permission before it sends. An origin that is not listed
// gets none.
func ExampleCloudEvents() {
	events := webhook.Source{
		Name:      "events",
		Verifier:  &webhook.Token{Header: "Authorization", Prefix: "Bearer ", Keys: webhook.Keys(webhook.NewSecret("s3cret"))},
		Handshake: handshake.CloudEvents(120, "eventgrid.azure.net"),
	}
	receiver := webhook.NewReceiver(events, webhook.Store(new(webhook.MemInbox)))
	receiver.Logger = silent

	for _, origin := range []string{"eventgrid.azure.net", "elsewhere.example"} {
		r := httptest.NewRequest("OPTIONS", "/hooks/events", nil)
		r.Header.Set("WebHook-Request-Origin", origin)
		r.Header.Set("WebHook-Request-Rate", "1000")
		w := httptest.NewRecorder()
		receiver.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("Allow"))
		fmt.Printf("Allowed: %q at %q per minute\n", w.Header().Get("WebHook-Allowed-Origin"), w.Header().Get("WebHook-Allowed-Rate"))
	}
	// Output:
	// 200 POST
	// Allowed: "eventgrid.azure.net" at "120" per minute
	// 405 GET, HEAD, OPTIONS, POST
	// Allowed: "" at "" per minute
}

// Trello sends this while a webhook is created.
func ExampleTrello() {
	trello := webhook.Source{
		Name: "trello",
		Verifier: &webhook.HMAC{
			Header:   "X-Trello-Webhook",
			Hash:     sha1.New,
			Encoding: webhook.Base64,
			Signed:   "{body}{url}",
			URL:      "https://hooks.example.com/hooks/trello",
			Keys:     webhook.Keys(webhook.NewSecret("application secret")),
		},
		Handshake: handshake.Trello,
	}
	receiver := webhook.NewReceiver(trello, webhook.Store(new(webhook.MemInbox)))

	r := httptest.NewRequest("HEAD", "/hooks/trello", nil)
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body.Len(), "bytes")
	// Output:
	// 200 0 bytes
}

// One Discord app may have both URLs at one address.
func ExampleCombine() {
	both := handshake.Combine(handshake.DiscordEvents, handshake.DiscordInteractions)
	proof := new(webhook.Proof) // after the signature
	r := httptest.NewRequest("POST", "/hooks/discord", nil)
	fmt.Println(both(r, []byte(`{"application_id":"1","type":0}`), proof).Status)
	fmt.Printf("%s\n", both(r, []byte(`{"application_id":"1","type":1}`), proof).Body)
	fmt.Println(both(r, []byte(`{"application_id":"1","type":1,"event":{"type":"ENTITLEMENT_CREATE"}}`), proof))
	// Output:
	// 204
	// {"type":1}
	// <nil>
}
