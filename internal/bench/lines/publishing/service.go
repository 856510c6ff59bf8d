// Package publishing has one service, written with each way to publish as its documentation
// recommends: a comment and its event are stored in one transaction, and the event is sent to
// each endpoint, signed as Standard Webhooks says, and again until it is accepted. The test
// runs the services and counts their lines for the README, by the rule of package lines.
//
// What a program keeps anyway is an argument: the database with its tables, and what it makes
// once, such as a Publisher or the client of an API. The services of hookbound and River get
// the endpoints too, since these libraries keep none; Hookhouse and Svix have them stored.
//
// Hookbound is not on the module proxy that the tests use. So its service is compiled with
// the declarations of internal/bench/hookboundapi, and is not run.
package publishing

import "net/http"

// An endpoint is a URL that receives events, with its secret: whsec_ and base64.
type endpoint struct{ URL, Secret string }

// respond says whether a comment was stored.
func respond(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, "not stored", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusCreated)
}
