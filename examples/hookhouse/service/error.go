package service

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// The errors of a call. Besides these, the error wraps webhook.ErrNotFound if there is no such
// delivery, and webhook.ErrState if its state does not allow an act.
var (
	// ErrURL: the URL of the inspector cannot be used.
	ErrURL = errors.New("the URL of the service")
	// ErrDenied: the service demands a password, or refuses the one that was sent, or the act.
	ErrDenied = errors.New("the service refuses")
	// ErrNotInspector: what answers is not an inspector, or it answers what none answers.
	ErrNotInspector = errors.New("this is not an inspector")
	// ErrUnavailable: the service does not answer, or it cannot at the moment. A later call
	// may succeed.
	ErrUnavailable = errors.New("the service does not answer")
	// ErrCut: a body has another size than the service says.
	ErrCut = errors.New("the body is not whole")
)

// The types of the answers.
const (
	kindJSON  = "application/json"
	kindBody  = "application/octet-stream"
	kindLive  = "text/event-stream"
	maxQuoted = 300
)

// faultOf returns what is wrong with an answer, or nil if it has status 200 and the type.
func (c *Client) faultOf(resp *http.Response, page, want string) error {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	status := resp.StatusCode
	switch {
	case status == http.StatusOK && kind == want:
		return nil
	case status == http.StatusSwitchingProtocols: // its body is the connection, which no context ends
		return fmt.Errorf("%w: %s changes the protocol", ErrNotInspector, c)
	case status == http.StatusOK:
		return fmt.Errorf("%w: %s answers with %s, not with %s", ErrNotInspector, c, quoted(kind), want)
	case status >= 300 && status <= 399:
		return fmt.Errorf("%w: %s redirects to %s, which is not followed", ErrNotInspector, c, hostOf(resp))
	}
	said := textOf(resp, kind)
	answers := fmt.Sprintf("%d %s: %s", status, http.StatusText(status), said)
	if status >= 500 { // of the service, or of what stands before it
		return fmt.Errorf("%w: %s", ErrUnavailable, answers)
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w: %s", ErrDenied, answers)
	case http.StatusNotFound:
		if kind == kindJSON && ofDelivery[page] {
			return fmt.Errorf("%w: %s", webhook.ErrNotFound, answers)
		}
		return fmt.Errorf("%w: %s has no %s: %s", ErrNotInspector, c, page, answers)
	case http.StatusConflict:
		return fmt.Errorf("%w: %s", webhook.ErrState, answers)
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return fmt.Errorf("%w: %s", ErrUnavailable, answers)
	}
	if kind != kindJSON {
		return fmt.Errorf("%w: %s answers %s", ErrNotInspector, c, answers)
	}
	return fmt.Errorf("the service answers %s", answers)
}

// ofDelivery are the calls for which 404 means that there is no such delivery.
var ofDelivery = map[string]bool{
	"api/delivery": true, "api/body": true, "api/replay": true, "api/bury": true, "api/release": true,
}

// textOf returns, in quotes, the error in an answer, or its first line.
func textOf(resp *http.Response, kind string) string {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxFault))
	if kind == kindJSON {
		var said struct{ Error string }
		if json.Unmarshal(text, &said) == nil {
			return quoted(said.Error)
		}
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return quoted(line)
}

// quoted returns the beginning of a text of the service in quotes, so that it cannot control
// a terminal.
func quoted(text string) string {
	if len(text) > maxQuoted {
		text = text[:maxQuoted] + "…"
	}
	return fmt.Sprintf("%q", text)
}

// hostOf returns the scheme and the host of a redirect. The rest may have a token.
func hostOf(resp *http.Response) string {
	u, err := resp.Location()
	if err != nil {
		return "nowhere"
	}
	return quoted((&url.URL{Scheme: u.Scheme, Host: u.Host}).String())
}
