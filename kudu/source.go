package kudu

import (
	"net/http"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// maxBody leaves room for a long commit message; everything else is short.
const maxBody = 1 << 20

// Source returns a Source that accepts calls whose URL contains one of the
// tokens, either as the wildcard {token} of a ServeMux pattern or as the query
// parameter token. While a token is rotated, pass both the new and the old one.
//
// The Source takes JSON bodies of up to 1 MiB. [webhook.NewReceiver] panics if
// there is no token or if one is empty.
func Source(tokens ...webhook.Secret) webhook.Source {
	return source(webhook.URLToken(webhook.Keys(tokens...)...))
}

// BasicSource is like Source, but accepts calls with one of the passwords in
// HTTP Basic authentication, under any user name. It answers calls without
// credentials with the challenge that Kudu waits for.
//
// The hook's URL must have a user name and a password. Kudu does not
// percent-decode them, and the password must not contain a colon: use letters
// and digits.
func BasicSource(passwords ...webhook.Secret) webhook.Source {
	return source(&webhook.BasicAuth{Realm: "kudu", Keys: webhook.Keys(passwords...)})
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

// siteInURL returns, in lower case, the site that the URL of a call names as
// the wildcard {site} or as the query parameter site. It returns "" if there is
// none.
func siteInURL(r *http.Request) string {
	name := r.PathValue("site")
	if name == "" && r.URL != nil && r.URL.RawQuery != "" {
		name = r.URL.Query().Get("site")
	}
	return strings.ToLower(name)
}
