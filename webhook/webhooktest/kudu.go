package webhooktest

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// kuduRedirects is the number of redirects that .NET's HttpClient follows.
const kuduRedirects = 50

// Kudu sends events as Kudu does (Kudu: WebHooksManager.cs):
//
//   - It makes one attempt. All requests of the attempt together have 10 seconds.
//   - Every answer is success, whatever its status. Only an answer that does not come,
//     or not in time, is a failure.
//   - The first request has no credentials. If the answer is 401 with a Basic
//     challenge and the URL has user information, the body is sent a second time with
//     the credentials. User and password are used as they are written in the URL:
//     "%40" stays "%40". If the user information does not contain exactly one colon,
//     for example because the password contains one, no credentials are sent.
//   - It follows 50 redirects. After 301, 302 and 303 it sends a GET without body. The
//     first request after a redirect has no credentials.
//   - After 410 Kudu deletes the hook, and then stores the list of hooks that it read
//     before, which contains the hook. So the next event is sent although Result.Gone
//     is true.
//
// The Expect header of .NET Framework is not sent. Kudu is safe for concurrent use.
type Kudu struct {
	// Transport makes the calls. If nil, each delivery uses a new http.Transport.
	Transport http.RoundTripper
}

// Deliver sends body, which is the JSON of an event, to the URL of a hook.
func (k *Kudu) Deliver(ctx context.Context, target string, body []byte) Result {
	c, err := kuduCall(target, body)
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

// Request returns the first request of Deliver, which has no credentials, for an
// http.Client of the caller's. The error wraps ErrTarget.
func (k *Kudu) Request(ctx context.Context, target string, body []byte) (*http.Request, error) {
	c, err := kuduCall(target, body)
	if err != nil {
		return nil, err
	}
	return c.request(ctx)
}

func kuduCall(target string, body []byte) (call, error) {
	return newCall(target, http.Header{"Content-Type": {"application/json; charset=utf-8"}}, body)
}

// whenChallenged returns a sendFunc that sends the credentials if the answer asks
// for them.
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

// kuduCredentials returns the user information of a URL as it is written, and
// whether Kudu uses it.
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

// asksForBasic reports whether the header has a challenge of the scheme Basic. One
// value can contain several challenges.
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
