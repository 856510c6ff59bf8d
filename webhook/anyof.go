package webhook

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
)

// A group is a list of verifiers: the part that AnyOf and AllOf share.
type group struct {
	verifiers []Verifier

	valid atomic.Bool
}

func (g *group) validate(name string) error {
	if err := validateAll(name, g.verifiers); err != nil {
		return err
	}
	g.valid.Store(true)
	return nil
}

// members returns the verifiers. It fails if they were never validated, or if there
// are none.
func (g *group) members() ([]Verifier, error) {
	if !g.valid.Load() || len(g.verifiers) == 0 {
		return nil, errNotValidated
	}
	return g.verifiers, nil
}

// Members returns the verifiers of the group, in order. The caller owns the slice.
func (g *group) Members() []Verifier { return slices.Clone(g.verifiers) }

// Challenge returns the first challenge of a member, empty if none has one.
func (g *group) Challenge() string { return challengeOf(g.verifiers...) }

// CredentialHeaders returns the credential headers of all members.
func (g *group) CredentialHeaders() []string { return credentialsOf(g.verifiers...) }

func (g *group) paddedSecrets() []string { return paddedSecrets(g.verifiers...) }

func (g *group) asksKeys() bool { return asksKeys(g.verifiers...) }

func (g *group) urlSecrets(r *http.Request) []string { return urlSecretsOf(r, g.verifiers...) }

// AnyOf accepts a request that at least one of its verifiers accepts. It asks them
// in order. Use it for a sender with two schemes, or to change from one scheme to
// another. It is made by [NewAnyOf]; the zero value is refused.
type AnyOf struct{ group }

// NewAnyOf returns an AnyOf of the given verifiers.
func NewAnyOf(vs ...Verifier) *AnyOf { return &AnyOf{group{verifiers: slices.Clone(vs)}} }

// Validate refuses an empty list, and a member that refuses itself.
func (a *AnyOf) Validate() error { return a.validate("AnyOf") }

// Admit returns nil if one member admits the request. Otherwise its error joins the
// reasons of all members.
func (a *AnyOf) Admit(r *http.Request) error {
	members, err := a.members()
	if err != nil {
		return err
	}
	var reasons []error
	for _, v := range members {
		err := v.Admit(r)
		if err == nil {
			return nil
		}
		reasons = append(reasons, err)
	}
	return refusals(reasons)
}

// Verify returns the proof of the first member that accepts the request.
func (a *AnyOf) Verify(r *http.Request, body []byte) (Proof, error) {
	members, err := a.members()
	if err != nil {
		return Proof{}, err
	}
	var reasons []error
	for _, v := range members {
		p, err := v.Verify(r, body)
		if err == nil {
			return p, nil
		}
		reasons = append(reasons, err)
	}
	return Proof{}, refusals(reasons)
}

// Sign signs with the first member that can sign.
func (a *AnyOf) Sign(r *http.Request, body []byte) error {
	for _, v := range a.verifiers {
		if s, ok := v.(Signer); ok && s.Sign(r, body) == nil {
			return nil
		}
	}
	return errCannotSign
}

// refusals are the reasons of all members of an AnyOf, printed on one line.
type refusals []error

func (r refusals) Error() string {
	texts := make([]string, len(r))
	for i, err := range r {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns the reasons that are answered with 503, if there are any: the sender
// must try again if one member could not look up its keys, whatever the others say.
func (r refusals) Unwrap() []error {
	var unavailable []error
	for _, err := range r {
		if StatusCode(err) == http.StatusServiceUnavailable {
			unavailable = append(unavailable, err)
		}
	}
	if unavailable != nil {
		return unavailable
	}
	return r
}

// AllOf accepts a request that all of its verifiers accept, such as a signature and
// an address. It is made by [NewAllOf]. An empty list would prove nothing, so it is
// refused.
type AllOf struct{ group }

// NewAllOf returns an AllOf of the given verifiers.
func NewAllOf(vs ...Verifier) *AllOf { return &AllOf{group{verifiers: slices.Clone(vs)}} }

// Validate refuses an empty list, and a member that refuses itself.
func (a *AllOf) Validate() error { return a.validate("AllOf") }

// Admit returns nil if every member admits the request.
func (a *AllOf) Admit(r *http.Request) error {
	members, err := a.members()
	if err != nil {
		return err
	}
	for _, v := range members {
		if err := v.Admit(r); err != nil {
			return err
		}
	}
	return nil
}

// Verify returns one proof. Each of its fields is that of the first member that
// sets it.
func (a *AllOf) Verify(r *http.Request, body []byte) (Proof, error) {
	members, err := a.members()
	if err != nil {
		return Proof{}, err
	}
	var all Proof
	for _, v := range members {
		p, err := v.Verify(r, body)
		if err != nil {
			return Proof{}, err
		}
		if all.KeyLabel == "" {
			all.KeyLabel = p.KeyLabel
		}
		if all.ID == "" {
			all.ID = p.ID
		}
		if all.Signature == nil {
			all.Signature = p.Signature
		}
	}
	return all, nil
}

// Sign signs with every member, and fails if one of them cannot sign.
func (a *AllOf) Sign(r *http.Request, body []byte) error {
	for _, v := range a.verifiers {
		s, ok := v.(Signer)
		if !ok {
			return errCannotSign
		}
		if err := s.Sign(r, body); err != nil {
			return err
		}
	}
	return nil
}
