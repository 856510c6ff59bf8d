package dockerhub

import (
	"fmt"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/internal/scan"
	"github.com/hookhouse/hookhouse/webhook"
)

const sourceName = "dockerhub"

// maxBody has room for full_description, which is a whole README.
const maxBody = 3 << 20

// DefaultCoalesce is what Source and BasicSource set, so that the calls of one
// push run once: five seconds after the last of them, half a minute after the
// first in any case. Change the Source's field, not this.
var DefaultCoalesce = webhook.Coalesce{Quiet: 5 * time.Second, Max: 30 * time.Second}

// Source returns the Source for calls whose URL holds one of the tokens: as
// the wildcard {token} of a ServeMux pattern, or as the query parameter token.
// Several are live at once while one is rotated. NewReceiver and Middleware
// panic where there is none or one is empty.
func Source(tokens ...webhook.Secret) webhook.Source {
	return source(webhook.URLToken(webhook.Keys(tokens...)...))
}

// BasicSource returns the Source for calls with one of the passwords in HTTP
// Basic authentication, under any user name. Docker Hub itself may not send the
// credentials of a URL such as https://hook:password@ci.example.com/: it is for
// a proxy in between, or try it before relying on it.
func BasicSource(passwords ...webhook.Secret) webhook.Source {
	return source(&webhook.BasicAuth{Realm: "dockerhub", Keys: webhook.Keys(passwords...)})
}

// Middleware lets only calls with one of the tokens through; see
// [webhook.Source.Middleware]. The func that it returns panics where
// NewReceiver does.
func Middleware(tokens ...webhook.Secret) func(http.Handler) http.Handler {
	return Source(tokens...).Middleware
}

// source takes any Content-Type, since Docker documents none.
func source(v webhook.Verifier) webhook.Source {
	return webhook.Source{
		Name:     sourceName,
		MaxBody:  maxBody,
		Verifier: v,
		Describe: describe,
		Coalesce: DefaultCoalesce,
	}
}

// What routing reads, in the order of the paths.
const (
	atPushData = iota
	atTag
	atRepoName
	pathCount
)

var paths = scan.New("push_data", "push_data.tag", "repository.repo_name")

// describe tells type and key. There is but one kind of delivery, so what
// cannot be read is of that kind too, and ends there as malformed.
func describe(r *http.Request, body []byte) webhook.Description {
	about := webhook.Description{DedupKeys: []string{}}
	var at [pathCount]scan.Value
	doc, err := (&webhook.Delivery{Source: sourceName, Header: r.Header, Body: body}).Document()
	if err == nil {
		err = paths.Scan(doc, at[:])
	}
	if err != nil {
		about.Type, about.Malformed = Push{}.EventType(), fmt.Errorf("dockerhub: %w", err)
		return about
	}
	if at[atPushData].Kind != scan.Object || at[atRepoName].Kind != scan.String {
		return about
	}
	about.Type = Push{}.EventType()
	if at[atTag].Kind == scan.String {
		about.OrderingKey = key(at[atRepoName].String(), at[atTag].String())
	}
	return about
}

// key names what was pushed; empty where half of it is missing.
func key(repoName, tag string) string {
	if repoName == "" || tag == "" {
		return ""
	}
	return repoName + ":" + tag
}

// Check refuses a document in which a name that routing reads stands twice or
// in another case. It makes Push a [webhook.Checker].
func (Push) Check(document []byte) error {
	var at [pathCount]scan.Value
	if err := paths.Scan(document, at[:]); err != nil {
		return fmt.Errorf("dockerhub: %w", err)
	}
	return nil
}
