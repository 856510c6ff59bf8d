package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
)

// A Verifier proves that a request comes from the sender. Its methods are called
// concurrently and must not change the request. Their errors wrap [ErrUnverified],
// say what was wrong, and contain neither a secret nor a computed signature.
//
// The Verifiers of this package are [HMAC], [Ed25519], [StandardWebhooks], [Twilio],
// [Token], [BasicAuth], [IPAllowList], [AnyOf], [AllOf] and [InsecureAcceptAll]. They
// are used by pointer, and each is also a [Signer]. Each has a method Validate()
// error, which [NewReceiver] and [Source.Middleware] call; they panic if it fails. A
// Verifier that was never validated refuses every request, except
// InsecureAcceptAll. A Verifier of your own may have a Validate method too.
//
// Any error refuses the request. If [StatusCode] would answer it with 202 or 500, the
// answer is 401.
type Verifier interface {
	// Admit checks the request line, the headers and the client's address before the
	// body is read, so that a request from a stranger costs little. For a Source with a
	// Handshake up to 1 KiB may have been read. A nil error does not mean that the
	// request is authentic.
	Admit(r *http.Request) error
	// Verify checks the whole request with its exact body. r.Body has been read
	// already. Verify repeats the checks of Admit: a nil error means that the request
	// is authentic, whether Admit was called or not.
	Verify(r *http.Request, body []byte) (Proof, error)
}

// A Proof is what a Verifier found out about an authentic request.
type Proof struct {
	KeyLabel  string // label of the key that matched
	ID        string // ID of the delivery; set only if the signature covers it
	Signature []byte // the MAC that matched, or the signature of [Ed25519], decoded; nil if there is none
}

// A Signer changes a request so that its Verifier accepts it. Tests, simulators and
// publishers use it. body is the body that the request will have. Of several keys, the
// first one signs, except for [StandardWebhooks], whose requests have a signature of each.
type Signer interface {
	Sign(r *http.Request, body []byte) error
}

// A Challenger is a Verifier that asks for credentials. Its challenge is the
// WWW-Authenticate header of a 401.
type Challenger interface {
	Challenge() string
}

// A CredentialCarrier is a Verifier whose secret is sent as plain text in request
// headers. These headers are left out of [Delivery.Header].
type CredentialCarrier interface {
	CredentialHeaders() []string
}

// A urlCarrier is a Verifier whose secret is sent in the URL. Proxies copy the URL
// into headers of their own, so headers that contain the secret are left out of
// [Delivery.Header] too.
type urlCarrier interface {
	// urlSecrets returns the secret in the URL of r, in each of its spellings.
	urlSecrets(r *http.Request) []string
}

// A validator is a Verifier with a Validate method.
type validator interface{ Validate() error }

// unverified returns ErrUnverified with a constant reason.
func unverified(reason string) error {
	return fmt.Errorf("%w: %s", ErrUnverified, reason)
}

// wrongCount returns the error for a header that is missing or repeated.
func wrongCount(header string, n int) error {
	if n == 0 {
		return fmt.Errorf("%w: no %s header", ErrUnverified, header)
	}
	return fmt.Errorf("%w: %d %s headers", ErrUnverified, n, header)
}

// oneValue returns the value of a header that the request must have once. name is
// canonical.
func oneValue(r *http.Request, name string) (string, error) {
	values := r.Header[name]
	if len(values) != 1 {
		return "", wrongCount(name, len(values))
	}
	return values[0], nil
}

var errNotValidated = unverified("the verifier was never validated")

// InsecureAcceptAll accepts every request. It is for tests and for listeners that
// only a trusted proxy can reach.
type InsecureAcceptAll struct{}

// Validate returns nil.
func (*InsecureAcceptAll) Validate() error { return nil }

// Admit returns nil.
func (*InsecureAcceptAll) Admit(*http.Request) error { return nil }

// Verify returns an empty Proof.
func (*InsecureAcceptAll) Verify(*http.Request, []byte) (Proof, error) { return Proof{}, nil }

// Sign does nothing.
func (*InsecureAcceptAll) Sign(*http.Request, []byte) error { return nil }

// validateAll validates a list of verifiers, which must not be empty.
func validateAll(name string, vs []Verifier) error {
	if len(vs) == 0 {
		return fmt.Errorf("webhook: %s has no verifiers", name)
	}
	for i, v := range vs {
		if isNil(v) {
			return fmt.Errorf("webhook: %s: verifier %d is nil", name, i+1)
		}
		if c, ok := v.(validator); ok {
			if err := c.Validate(); err != nil {
				return fmt.Errorf("webhook: %s: %w", name, err)
			}
		}
	}
	return nil
}

// challengeOf returns the first challenge of the verifiers, empty if none has one.
func challengeOf(vs ...Verifier) string {
	for _, v := range vs {
		if c, ok := v.(Challenger); ok {
			if challenge := c.Challenge(); challenge != "" {
				return challenge
			}
		}
	}
	return ""
}

// credentialsOf returns the canonical names of the headers that carry a secret.
func credentialsOf(vs ...Verifier) []string {
	var names []string
	for _, v := range vs {
		if c, ok := v.(CredentialCarrier); ok {
			for _, name := range c.CredentialHeaders() {
				names = append(names, http.CanonicalHeaderKey(name))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// urlSecretsOf returns the secrets in the URL of r.
func urlSecretsOf(r *http.Request, vs ...Verifier) []string {
	var texts []string
	for _, v := range vs {
		if c, ok := v.(urlCarrier); ok {
			texts = append(c.urlSecrets(r), texts...) // usually of one verifier: no copy
		}
	}
	return texts
}

// isNil reports whether v is nil, or a nil pointer.
func isNil(v Verifier) bool {
	p := reflect.ValueOf(v)
	return v == nil || p.Kind() == reflect.Pointer && p.IsNil()
}

var errCannotSign = errors.New("webhook: the verifier cannot sign")
