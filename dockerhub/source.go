package dockerhub

import (
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const sourceName = "dockerhub"

// maxBody leaves room for full_description, which is a whole README.
const maxBody = 3 << 20

// DefaultCoalesce is the Coalesce of the Sources that Source and BasicSource
// return. With it the calls of one push run once: five seconds after the last
// of them, and no later than 30 seconds after the first. To change it, set the
// field of the Source, not this variable.
var DefaultCoalesce = webhook.Coalesce{Quiet: 5 * time.Second, Max: 30 * time.Second}

// Source returns a Source that accepts calls whose URL contains one of the
// tokens, either as the wildcard {token} of a ServeMux pattern or as the query
// parameter token. While a token is rotated, pass both the new and the old one.
//
// The Source takes any Content-Type and bodies of up to 3 MiB.
// [webhook.NewReceiver] panics if there is no token or if one is empty.
func Source(tokens ...webhook.Secret) webhook.Source {
	return source(webhook.URLToken(webhook.Keys(tokens...)...))
}

// BasicSource is like Source, but accepts calls with one of the passwords in
// HTTP Basic authentication, under any user name.
//
// It is meant for a proxy that adds the credentials. Docker Hub itself may not
// send the credentials of a URL such as https://hook:password@ci.example.com/:
// test that before you rely on it.
func BasicSource(passwords ...webhook.Secret) webhook.Source {
	return source(&webhook.BasicAuth{Realm: "dockerhub", Keys: webhook.Keys(passwords...)})
}

// source accepts any Content-Type because Docker documents none.
func source(v webhook.Verifier) webhook.Source {
	return webhook.Source{
		Name:     sourceName,
		MaxBody:  maxBody,
		Verifier: v,
		Describe: describe,
		Coalesce: DefaultCoalesce,
	}
}
