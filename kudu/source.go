package kudu

import (
	"net/http"

	"github.com/hookhouse/hookhouse/webhook"
)

// maxBody has room for a long commit message; everything else is short.
const maxBody = 1 << 20

// Source returns the Source for calls whose URL holds one of the tokens: as
// the wildcard {token} of a ServeMux pattern, or as the query parameter token.
// Several are live at once while one is rotated. NewReceiver and Middleware
// panic where there is none or one is empty.
func Source(tokens ...webhook.Secret) webhook.Source {
	return source(webhook.URLToken(webhook.Keys(tokens...)...))
}

// BasicSource returns the Source for calls with one of the passwords in HTTP
// Basic authentication, under any user name. It answers calls without
// credentials with the challenge that Kudu waits for. The hook's URL needs
// user name and password, the password must not have a colon, and neither is
// percent-decoded: use letters and digits.
func BasicSource(passwords ...webhook.Secret) webhook.Source {
	return source(&webhook.BasicAuth{Realm: "kudu", Keys: webhook.Keys(passwords...)})
}

// Middleware lets only calls with one of the tokens through; see
// [webhook.Source.Middleware]. The func that it returns panics where
// NewReceiver does.
func Middleware(tokens ...webhook.Secret) func(http.Handler) http.Handler {
	return Source(tokens...).Middleware
}

func source(v webhook.Verifier) webhook.Source {
	return webhook.Source{
		Name:         "kudu",
		MaxBody:      maxBody,
		ContentTypes: []string{"application/json"},
		Verifier:     v,
		Describe:     describe,
	}
}
