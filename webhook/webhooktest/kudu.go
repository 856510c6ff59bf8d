package webhooktest

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// kuduRedirects is how many redirects .NET's HttpClient follows.
const kuduRedirects = 50

// Kudu posts events as Kudu does (Kudu: WebHooksManager.cs): one attempt with a
// time-out of 10 seconds over all it takes. Any answer counts as done, whatever
// its status; only a broken or late one is a failure.
//
// The first request never carries credentials. If the answer is 401 with a
// Basic challenge and the URL has user information, the body is sent a second
// time with it. That is user and password only if it splits at colons into
// exactly two parts, taken as written: "%40" stays "%40", and a password with a
// colon switches credentials off. Redirects are followed, after 301, 302 and
// 303 by a GET without body; each starts without credentials.
//
// Upon 410 Kudu deletes the hook and then writes the list it read before back,
// hook included. So Result.Gone tells what was meant, and the next event is
// sent all the same. The Expect header that .NET Framework adds is left out.
//
// It is safe for concurrent use.
type Kudu struct {
	// Transport makes the calls. Zero means a fresh http.Transport for each
	// delivery.
	Transport http.RoundTripper
}

// Deliver posts body, the JSON of one event, to the URL of a hook.
func (k *Kudu) Deliver(ctx context.Context, target string, body []byte) Result {
	c, err := newCall(target, http.Header{"Content-Type": {"application/json; charset=utf-8"}}, body)
	if err != nil {
		return Result{Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	rt, closeIdle := transportOf(k.Transport)
	defer closeIdle()
	credentials, ok := kuduCredentials(target)
	send := once(rt)
	if ok {
		send = whenChallenged(rt, credentials)
	}
	a := attempt(ctx, c, kuduRedirects, send)
	return Result{
		Attempts:  []Attempt{a},
		Delivered: a.Err == nil,
		Gone:      a.Status == http.StatusGone,
	}
}

// whenChallenged is the sendFunc that has credentials and waits to be asked.
func whenChallenged(rt http.RoundTripper, credentials string) sendFunc {
	plain := once(rt)
	return func(ctx context.Context, c call, a *Attempt) (*http.Response, error) {
		resp, err := plain(ctx, c, a)
		if err != nil || resp.StatusCode != http.StatusUnauthorized || !asksForBasic(resp.Header) {
			return resp, err
		}
		c.header = c.header.Clone()
		c.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(credentials)))
		return plain(ctx, c, a)
	}
}

// kuduCredentials returns the user information of a URL as it is written,
// and whether Kudu makes use of it.
func kuduCredentials(target string) (string, bool) {
	_, rest, _ := strings.Cut(target, "://")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	at := strings.LastIndexByte(rest, '@')
	if at < 0 {
		return "", false
	}
	info := rest[:at]
	return info, strings.Count(info, ":") == 1
}

// asksForBasic looks for the scheme at the start of a challenge; one header may
// hold several.
func asksForBasic(h http.Header) bool {
	for _, value := range h.Values("WWW-Authenticate") {
		for challenge := range strings.SplitSeq(value, ",") {
			scheme, _, _ := strings.Cut(strings.TrimSpace(challenge), " ")
			if strings.EqualFold(scheme, "Basic") {
				return true
			}
		}
	}
	return false
}
