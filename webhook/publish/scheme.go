package publish

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A Scheme says how requests are signed. An [Endpoint] names its scheme. The built-in ones are
//
//	standard          Standard Webhooks; a secret is whsec_ (v1) or whsk_ (v1a)
//	standard-ed25519  the same, and generates secrets for v1a: whsk_
//	github            as GitHub does: X-Hub-Signature-256, X-GitHub-Event, X-GitHub-Delivery
//	jobserv           as JobServ does: X-JobServ-Sig
//	basic             Basic authentication after a challenge; a secret is user:password
//	insecure-none     no signature and no secret
//
// [HMACScheme] makes one of any other MAC, and [Both] one that signs in two ways while
// receivers change from one to the other. Publisher.Schemes has those of a program. Its funcs
// are called concurrently.
type Scheme struct {
	// Signer returns what signs a request with keys, of which there is at least one. With
	// Many these are all live secrets of the endpoint, oldest first, and otherwise the
	// oldest alone. If nil, requests are not signed, and the name of the Scheme must begin
	// with "insecure-".
	Signer func(keys []webhook.Key) webhook.Signer
	// Prepare, if not nil, changes a request before it is signed: it can set headers that
	// name the event, and delete those that a Publisher sets.
	Prepare func(r *http.Request, m Message)
	// Generate returns a new secret for an endpoint that is created without one and for
	// [Publisher.Rotate]. If nil, the program must supply secrets.
	Generate func() webhook.Secret
	// Check returns an error if the scheme cannot sign with a secret. Its text must not have
	// the secret. If nil, every secret that is not empty is allowed.
	Check func(webhook.Secret) error
	// Many means that a request can have the signatures of several secrets. Without it, a
	// request is signed with the oldest secret until that ends, so receivers have this time
	// to install the new one beside it.
	Many bool
	// Challenged means that a request is sent without a signature first, and again with one
	// if the answer is a 401 with a WWW-Authenticate. Both are one attempt.
	Challenged bool
}

// A Message is what a [Scheme] sees of the event that a request delivers.
type Message struct {
	ID       string // of the event, the same for all endpoints and all attempts
	Type     string
	Endpoint string // its ID
	Attempt  int    // 1 for the first
}

// The names of schemes.
const (
	standardScheme = "standard" // the default
	insecurePrefix = "insecure-"
)

var builtIn = map[string]Scheme{
	standardScheme:          standard,
	"standard-ed25519":      standardEd25519,
	"github":                gitHub,
	"jobserv":               jobServ,
	"basic":                 basic,
	insecurePrefix + "none": {},
}

// scheme returns the scheme of an endpoint.
func (p *Publisher) scheme(name string) (Scheme, error) {
	if name == "" {
		name = standardScheme
	}
	s, ok := p.Schemes[name]
	if !ok {
		s, ok = builtIn[name]
	}
	switch {
	case !ok:
		known := slices.AppendSeq(slices.Collect(maps.Keys(builtIn)), maps.Keys(p.Schemes))
		slices.Sort(known)
		return s, fmt.Errorf("there is no such scheme, but %s", strings.Join(slices.Compact(known), ", "))
	case s.Signer == nil && !strings.HasPrefix(name, insecurePrefix):
		return s, fmt.Errorf("the scheme does not sign, so its name must begin with %q", insecurePrefix)
	}
	return s, nil
}

// check returns an error if the scheme cannot sign with the secret.
func (s *Scheme) check(secret webhook.Secret) error {
	switch {
	case secret.IsZero():
		return errors.New("it is empty")
	case s.Check == nil:
		return nil
	}
	return s.Check(secret)
}

// signer returns what signs with the secrets that are live.
func (s *Scheme) signer(secrets []Secret, now time.Time) (webhook.Signer, error) {
	if s.Signer == nil {
		return unsigned{}, nil
	}
	var live []webhook.Secret
	for _, secret := range secrets {
		if secret.Until.IsZero() || now.Before(secret.Until) {
			live = append(live, secret.Secret)
		}
	}
	if len(live) == 0 {
		return nil, errors.New("publish: the endpoint has no secret that is live")
	}
	if !s.Many {
		live = live[:1]
	}
	return s.Signer(webhook.Keys(live...)), nil
}

// unsigned leaves requests as they are.
type unsigned struct{}

func (unsigned) Sign(*http.Request, []byte) error { return nil }

// HMACScheme returns the Scheme of a MAC: verifier returns what verifies the requests with
// keys, which is also what signs them. A timestamp in Signed is the time of the attempt. For
// an ID in Signed set IDHeader to Webhook-Id, which a Publisher sets before.
//
//	publish.HMACScheme(func(keys []webhook.Key) *webhook.HMAC {
//		return &webhook.HMAC{
//			Header:          "X-Acme-Signature",
//			Signed:          "{timestamp}.{body}",
//			TimestampHeader: "X-Acme-Timestamp",
//			Keys:            keys,
//		}
//	})
//
// Its secrets are generated with 256 random bits, in hexadecimal digits.
func HMACScheme(verifier func(keys []webhook.Key) *webhook.HMAC) Scheme {
	return Scheme{
		Signer:   func(keys []webhook.Key) webhook.Signer { return verifier(keys) },
		Generate: randomHex,
		Check: func(secret webhook.Secret) error {
			return verifier(webhook.Keys(secret)).Validate()
		},
	}
}

// Both returns a Scheme whose requests have the signatures of two schemes, made with the
// same secrets: for the time in which receivers change from one to the other. It generates
// the secrets of the second. It is not for schemes that use the same header.
func Both(first, second Scheme) Scheme {
	return Scheme{
		Signer: func(keys []webhook.Key) webhook.Signer {
			return signers{first.of(keys), second.of(keys)}
		},
		Prepare: func(r *http.Request, m Message) {
			first.prepare(r, m)
			second.prepare(r, m)
		},
		Generate: second.Generate,
		Check: func(secret webhook.Secret) error {
			return errors.Join(first.check(secret), second.check(secret))
		},
		Many:       first.Many || second.Many,
		Challenged: first.Challenged || second.Challenged,
	}
}

// of returns the signer for keys that another scheme may have asked for.
func (s *Scheme) of(keys []webhook.Key) webhook.Signer {
	switch {
	case s.Signer == nil:
		return unsigned{}
	case !s.Many:
		keys = keys[:1]
	}
	return s.Signer(keys)
}

func (s *Scheme) prepare(r *http.Request, m Message) {
	if s.Prepare != nil {
		s.Prepare(r, m)
	}
}

// signers sign one after the other.
type signers []webhook.Signer

func (list signers) Sign(r *http.Request, body []byte) error {
	for _, s := range list {
		if err := s.Sign(r, body); err != nil {
			return err
		}
	}
	return nil
}
