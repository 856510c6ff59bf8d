package forward

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
)

// redacted is what an inspector shows instead of a value that it does not show.
const redacted = "REDACTED"

// kept are the headers of every sender that are sent again. Those of proxies, of the network of
// the service and of its users are not.
var kept = []string{"Accept", "Content-Type", "Traceparent", "Tracestate", "User-Agent"}

// A sender is one of those that a delivery can be signed as.
type sender struct {
	// prefix is that of further headers that are sent again. If empty, there are none.
	prefix string
	// complete adds the headers without which the sender's calls are not understood, from what
	// is known of the delivery. If nil, there are none.
	complete func(h http.Header, d *webhook.Delivery) error
	// signers sign a request with a secret. If nil, the secret is part of the URL.
	signers func(secret webhook.Secret) []webhook.Signer
}

var senders = map[string]sender{
	"github": {
		"X-Github-", completeGitHub,
		func(s webhook.Secret) []webhook.Signer {
			keys := webhook.Keys(s)
			// GitHub sends both, and only the first should be believed.
			return []webhook.Signer{github.Verifier(keys...), github.InsecureSHA1Verifier(keys...)}
		},
	},
	"jobserv": {"", nil, func(s webhook.Secret) []webhook.Signer {
		return []webhook.Signer{jobserv.Verifier(webhook.Keys(s)...)}
	}},
	"dockerhub": {},
	"kudu":      {},
}

// Senders are the names of the senders, sorted.
func Senders() []string { return []string{"dockerhub", "github", "jobserv", "kudu"} }

// InURL reports whether the secret of a sender is part of its URL.
func InURL(name string) bool { return senders[name].signers == nil }

// senderOf returns the name of the sender of a delivery, or an empty one if it is not known:
// the name of its source, or otherwise the sender that its headers are of, as in a bin that
// takes the calls of all.
func senderOf(d *webhook.Delivery) string {
	if _, ok := senders[d.Source]; ok {
		return d.Source
	}
	has := func(name string) bool { return len(d.Header[name]) > 0 }
	switch {
	case has("X-Github-Event"):
		return "github"
	case has("X-Jobserv-Sig"):
		return "jobserv"
	}
	return ""
}

// The headers in which a bin of examples/inspector has the method of a captured call and the rest
// of its URL, and why it has no body.
const (
	binRequest = "Bin-Request"
	binBody    = "Bin-Body"
)

// methodOf returns the method of the call for a delivery. Its error is a dropped.
func methodOf(d *webhook.Delivery) (string, error) {
	method, _, _ := strings.Cut(d.Header.Get(binRequest), " ")
	switch {
	case d.Header.Get(binBody) != "":
		return "", dropped{"the bin has not stored its body"}
	case method == "":
		return http.MethodPost, nil
	case !slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions}, method):
		return "", dropped{fmt.Sprintf("a call with the method %q is not forwarded", method)}
	}
	return method, nil
}

// errLacks means that the service does not show what a call needs.
var errLacks = errors.New("the service does not show it")

// header returns the header of the call for a delivery, without signatures.
func (s sender) header(d *webhook.Delivery, body []byte) (http.Header, error) {
	h := make(http.Header)
	for name, values := range d.Header {
		name = textproto.CanonicalMIMEHeaderKey(name)
		hidden := slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, redacted) })
		if !hidden && (slices.Contains(kept, name) || s.prefix != "" && strings.HasPrefix(name, s.prefix)) {
			h[name] = values
		}
	}
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
		if s.prefix == "X-Github-" && bytes.HasPrefix(body, []byte("payload=")) {
			h.Set("Content-Type", "application/x-www-form-urlencoded")
		}
	}
	if h.Get("User-Agent") == "" {
		h.Set("User-Agent", "") // otherwise net/http sends one of its own
	}
	if s.complete == nil {
		return h, nil
	}
	return h, s.complete(h, d)
}

// completeGitHub adds the name of the event, which the type has, and the GUID, which is the
// sender's id.
func completeGitHub(h http.Header, d *webhook.Delivery) error {
	if h.Get(github.EventHeader) == "" {
		event, ok := strings.CutPrefix(d.Type, "github.")
		if !ok || event == "unknown" {
			return fmt.Errorf("%w: the header %s, and the type %q does not say it either", errLacks, github.EventHeader, d.Type)
		}
		h.Set(github.EventHeader, event)
	}
	if h.Get(github.DeliveryHeader) == "" {
		if d.ID == "" {
			return fmt.Errorf("%w: the header %s, and there is no id either", errLacks, github.DeliveryHeader)
		}
		h.Set(github.DeliveryHeader, d.ID)
	}
	return nil
}

// sign signs a request.
func (s sender) sign(r *http.Request, secret webhook.Secret, body []byte) error {
	if s.signers == nil {
		return nil
	}
	for _, signer := range s.signers(secret) {
		if err := signer.Sign(r, body); err != nil {
			return err
		}
	}
	return nil
}
