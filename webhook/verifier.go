package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
)

// A Verifier proves that a request comes from the sender. Both methods are
// called by many goroutines at once, read the request and do not change it.
// Their errors wrap [ErrUnverified], say what was wrong, and hold no secret
// and no computed signature.
//
// The kinds of this package are used by pointer, and each is also a [Signer]:
// [HMAC], [Token], [BasicAuth], [StandardWebhooks], [IPAllowList], [AnyOf],
// [AllOf], [InsecureAcceptAll]. Each has Validate() error, which [NewReceiver] and
// [Source.Middleware] run and panic on; a literal that was never validated
// refuses everything, InsecureAcceptAll apart. A Verifier of your own may have
// Validate too. Whatever error one returns, the call is refused: one that
// [StatusCode] would answer with 202 or 500 is answered 401.
type Verifier interface {
	// Admit looks at the request line, headers and address before a byte of the
	// body is read, so that strangers cost nothing. Nil does not mean authentic.
	Admit(r *http.Request) error
	// Verify is the proof over the exact body. r.Body is spent. It checks
	// everything again that Admit checks: nil means authentic, whether Admit was
	// called or not.
	Verify(r *http.Request, body []byte) (Proof, error)
}

// A Proof is what a Verifier learned.
type Proof struct {
	KeyLabel  string // which of several live keys matched
	ID        string // the delivery's id, only if the proof covers it
	Signature []byte // the matched MAC, decoded; nil where there is none
}

// A Signer makes a request that its verifier accepts. Tests, simulators and
// publishers use it; body is what the request will carry. Where several keys
// are live the first one signs.
type Signer interface {
	Sign(r *http.Request, body []byte) error
}

// A Challenger is a Verifier that asks for credentials: a 401 carries the
// result as WWW-Authenticate.
type Challenger interface {
	Challenge() string
}

// A CredentialCarrier is a Verifier whose secret travels in plain text in
// request headers. They are left out of [Delivery.Header].
type CredentialCarrier interface {
	CredentialHeaders() []string
}

// A pathCarrier is a Verifier whose secret travels in the URL. Proxies copy the
// URL into headers of their own, so those that hold the secret are left out of
// [Delivery.Header] as well.
type pathCarrier interface {
	carried(r *http.Request) []string
}

// validator is a Verifier that can be built wrongly.
type validator interface{ Validate() error }

// unverified is ErrUnverified with a reason that stands in the source code.
func unverified(reason string) error {
	return fmt.Errorf("%w: %s", ErrUnverified, reason)
}

// wrongCount is the error for a header that is missing or repeated.
func wrongCount(header string, n int) error {
	if n == 0 {
		return fmt.Errorf("%w: no %s header", ErrUnverified, header)
	}
	return fmt.Errorf("%w: %d %s headers", ErrUnverified, n, header)
}

var errNotValidated = unverified("the verifier was never validated")

// InsecureAcceptAll takes every request for genuine. It is for tests and for
// listeners that only a trusted proxy can reach.
type InsecureAcceptAll struct{}

// Validate returns nil.
func (*InsecureAcceptAll) Validate() error { return nil }

// Admit returns nil.
func (*InsecureAcceptAll) Admit(*http.Request) error { return nil }

// Verify returns an empty Proof.
func (*InsecureAcceptAll) Verify(*http.Request, []byte) (Proof, error) { return Proof{}, nil }

// Sign does nothing.
func (*InsecureAcceptAll) Sign(*http.Request, []byte) error { return nil }

// validateAll validates the members of a list that must not be empty.
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

// isNil reports whether v is nil, or a nil pointer.
func isNil(v Verifier) bool {
	p := reflect.ValueOf(v)
	return v == nil || p.Kind() == reflect.Pointer && p.IsNil()
}

// validateKeys refuses what would let a stranger in.
func validateKeys(name string, keys []Key) error {
	if len(keys) == 0 {
		return fmt.Errorf("webhook: %s has no keys", name)
	}
	for i, k := range keys {
		if k.Secret.IsZero() {
			return fmt.Errorf("webhook: %s: the secret of key %d is empty", name, i+1)
		}
	}
	return nil
}

var errCannotSign = errors.New("webhook: the verifier cannot sign")
