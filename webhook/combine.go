package webhook

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
)

// AnyOf accepts what at least one of its verifiers accepts, asked in order:
// two schemes at once, or a change from one to the other. An empty list is
// refused. Fields are not changed after Validate.
type AnyOf struct {
	Verifiers []Verifier

	valid atomic.Bool
}

// NewAnyOf returns an AnyOf of the given verifiers.
func NewAnyOf(vs ...Verifier) *AnyOf { return &AnyOf{Verifiers: vs} }

// Validate refuses an empty list and any member that refuses itself.
func (a *AnyOf) Validate() error {
	if err := validateAll("AnyOf", a.Verifiers); err != nil {
		return err
	}
	a.valid.Store(true)
	return nil
}

// Admit passes if one member admits the request. Its error joins their reasons.
func (a *AnyOf) Admit(r *http.Request) error {
	if !a.valid.Load() || len(a.Verifiers) == 0 {
		return errNotValidated
	}
	var reasons []error
	for _, v := range a.Verifiers {
		err := v.Admit(r)
		if err == nil {
			return nil
		}
		reasons = append(reasons, err)
	}
	return refusals(reasons)
}

// Verify returns the proof of the first member that accepts.
func (a *AnyOf) Verify(r *http.Request, body []byte) (Proof, error) {
	if !a.valid.Load() || len(a.Verifiers) == 0 {
		return Proof{}, errNotValidated
	}
	var reasons []error
	for _, v := range a.Verifiers {
		p, err := v.Verify(r, body)
		if err == nil {
			return p, nil
		}
		reasons = append(reasons, err)
	}
	return Proof{}, refusals(reasons)
}

// Sign signs with the first member that can.
func (a *AnyOf) Sign(r *http.Request, body []byte) error {
	for _, v := range a.Verifiers {
		if s, ok := v.(Signer); ok && s.Sign(r, body) == nil {
			return nil
		}
	}
	return errCannotSign
}

// Challenge returns the first member's challenge, empty if none has one.
func (a *AnyOf) Challenge() string { return challengeOf(a.Verifiers...) }

// CredentialHeaders returns those of all members.
func (a *AnyOf) CredentialHeaders() []string { return credentialsOf(a.Verifiers...) }

func (a *AnyOf) paddedSecrets() []string { return paddedSecrets(a.Verifiers...) }

func (a *AnyOf) carried(r *http.Request) []string { return carriedBy(r, a.Verifiers...) }

// refusals are the reasons of all members, on one line.
type refusals []error

func (r refusals) Error() string {
	texts := make([]string, len(r))
	for i, err := range r {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (r refusals) Unwrap() []error { return r }

// AllOf accepts what every one of its verifiers accepts, such as a signature
// and an address. An empty list, which would prove nothing, is refused.
// Fields are not changed after Validate.
type AllOf struct {
	Verifiers []Verifier

	valid atomic.Bool
}

// NewAllOf returns an AllOf of the given verifiers.
func NewAllOf(vs ...Verifier) *AllOf { return &AllOf{Verifiers: vs} }

// Validate refuses an empty list and any member that refuses itself.
func (a *AllOf) Validate() error {
	if err := validateAll("AllOf", a.Verifiers); err != nil {
		return err
	}
	a.valid.Store(true)
	return nil
}

// Admit passes if every member admits the request.
func (a *AllOf) Admit(r *http.Request) error {
	if !a.valid.Load() || len(a.Verifiers) == 0 {
		return errNotValidated
	}
	for _, v := range a.Verifiers {
		if err := v.Admit(r); err != nil {
			return err
		}
	}
	return nil
}

// Verify gathers the proofs: of each field the first that a member filled.
func (a *AllOf) Verify(r *http.Request, body []byte) (Proof, error) {
	if !a.valid.Load() || len(a.Verifiers) == 0 {
		return Proof{}, errNotValidated
	}
	var all Proof
	for _, v := range a.Verifiers {
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

// Sign signs with every member and fails if one cannot.
func (a *AllOf) Sign(r *http.Request, body []byte) error {
	for _, v := range a.Verifiers {
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

// Challenge returns the first member's challenge, empty if none has one.
func (a *AllOf) Challenge() string { return challengeOf(a.Verifiers...) }

// CredentialHeaders returns those of all members.
func (a *AllOf) CredentialHeaders() []string { return credentialsOf(a.Verifiers...) }

func (a *AllOf) paddedSecrets() []string { return paddedSecrets(a.Verifiers...) }

func (a *AllOf) carried(r *http.Request) []string { return carriedBy(r, a.Verifiers...) }

// challengeOf returns the first challenge of these.
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

// credentialsOf returns the canonical names of headers that carry a secret.
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

// carriedBy returns the secrets that r carries in its URL.
func carriedBy(r *http.Request, vs ...Verifier) []string {
	var texts []string
	for _, v := range vs {
		if c, ok := v.(pathCarrier); ok {
			texts = append(c.carried(r), texts...) // mostly the only one's: no copy
		}
	}
	return texts
}
