package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// A registeredURL is the URL that a sender has, and signs: fixed, or a func of the
// request.
type registeredURL struct {
	fixed string
	each  func(*http.Request) (string, error)
}

func (u registeredURL) isZero() bool { return u.fixed == "" && u.each == nil }

// validate refuses two URLs, and one that no sender could call.
func (u registeredURL) validate() error {
	if u.fixed != "" && u.each != nil {
		return errors.New("URL and URLFunc are both set")
	}
	if u.fixed == "" {
		return nil
	}
	// A password, a query and a fragment may be secrets, so they are not shown.
	shown := u.fixed
	if i := strings.IndexAny(shown, "?#"); i >= 0 {
		shown = shown[:i]
	}
	shown = shown[strings.LastIndex(shown, "@")+1:]
	if p, err := url.Parse(u.fixed); err != nil || p.Host == "" || p.Scheme != "https" && p.Scheme != "http" {
		return fmt.Errorf("URL %q is not absolute: write it as it is registered with the sender, with https:// and host", shown)
	}
	return nil
}

// of returns the URL for the request.
func (u registeredURL) of(verifier string, r *http.Request) (string, error) {
	if u.each == nil {
		return u.fixed, nil
	}
	text, err := u.each(r)
	switch {
	case err != nil:
		return "", unavailable(verifier, "URLFunc", err)
	case text == "":
		return "", fmt.Errorf("%w: %s: URLFunc returned no URL", ErrUnverified, verifier)
	}
	return text, nil
}

// requestURL returns the URL as the request has it. It is used for a hint only: a proxy
// changes it, and the caller chooses the host.
func requestURL(r *http.Request) string { return "https://" + r.Host + r.URL.RequestURI() }

const otherURL = ": it matches the URL of the request, so URL is not what the sender has"
