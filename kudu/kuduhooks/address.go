package kuduhooks

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// An address is the URL of a hook. Its password is a secret, so it is kept apart from the
// rest.
type address struct {
	url            string // without user information
	user, password string // both empty, or neither
}

// The errors of parseAddress. They do not contain the URL.
var (
	errURL         = errors.New("url: it must be an absolute and escaped URL")
	errCredentials = errors.New("url: the user information must be user:password, without a further colon")
)

// parseAddress divides the URL of a hook. As Kudu does, it trims spaces, and takes user and
// password literally, if there is exactly one colon (Kudu: WebHook.cs, WebHooksManager.cs).
func parseAddress(text string) (address, error) {
	text = strings.TrimSpace(text)
	if u, err := url.Parse(text); err != nil || !u.IsAbs() || u.Host == "" || strings.ContainsAny(text, " \\^`{|}\"<>") {
		return address{}, errURL
	}
	scheme, rest, _ := strings.Cut(text, "://")
	end := len(rest)
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		end = i
	}
	at := strings.LastIndex(rest[:end], "@")
	if at < 0 {
		return address{url: text}, nil
	}
	user, password, _ := strings.Cut(rest[:at], ":")
	if user == "" || password == "" || strings.Contains(password, ":") {
		return address{}, errCredentials
	}
	return address{scheme + "://" + rest[at+1:], user, password}, nil
}

// addressOf returns the address of an endpoint.
func addressOf(e *publish.Endpoint) address {
	a := address{url: e.URL}
	if len(e.Secrets) > 0 {
		a.user, a.password, _ = strings.Cut(string(e.Secrets[0].Reveal()), ":")
	}
	return a
}

// String returns the URL as it was requested, with user and password.
func (a address) String() string {
	if a.user == "" {
		return a.url
	}
	scheme, rest, _ := strings.Cut(a.url, "://")
	return scheme + "://" + a.user + ":" + a.password + "@" + rest
}

// scheme returns the scheme of the endpoint: Kudu does not sign.
func (a address) scheme() string {
	if a.user == "" {
		return "insecure-none"
	}
	return "basic"
}

func (a address) secrets() []publish.Secret {
	if a.user == "" {
		return nil
	}
	return []publish.Secret{{Secret: webhook.NewSecret(a.user + ":" + a.password)}}
}

// guesses is what it costs to try a password on the name of an endpoint.
const guesses = 100_000

// name returns the name of the endpoint, which is the same for URLs that differ in case
// only, and differs otherwise. The name of an endpoint is printed, so it is costly to find the
// password in it.
func (a address) name() string {
	sum := sha256.Sum256([]byte(strings.ToLower(a.url + "\x00" + a.user)))
	if a.user == "" {
		return hex.EncodeToString(sum[:])
	}
	derived, err := pbkdf2.Key(sha256.New, strings.ToLower(a.password), sum[:], guesses, len(sum))
	if err != nil {
		panic(err) // only for a salt or a length that is too short
	}
	return hex.EncodeToString(derived)
}
