package webhook

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"runtime/debug"
	"time"
)

// A Source describes one sender: its name, its limits, how to verify its requests
// and how to describe them. It is a plain value: copy it, change a field, or write a
// literal for a sender of your own. Each provider package returns its own from a func
// named Source.
type Source struct {
	// Name becomes [Delivery.Source], such as "github". Required.
	Name string
	// MaxBody is the maximum size of a body in bytes. A larger one is answered with
	// 413. Zero means 1 MiB.
	MaxBody int64
	// ContentTypes are the accepted media types, without parameters. Others are
	// answered with 415. If empty, all media types are accepted.
	ContentTypes []string
	// Verifier proves that a request is authentic. Required.
	Verifier Verifier
	// Describe returns what a delivery is about. It reads the headers and the body
	// and must not change them. The body is authentic but may be malformed. Describe
	// cannot fail: it leaves unknown fields empty. A delivery without a type gets the
	// type "<name>.unknown", which is logged at most once a minute.
	//
	// The body is as it was sent, so it may be a form. [Document] returns the JSON of a
	// form and of any other body, and [Form] the fields of a form.
	//
	// If nil, all deliveries have the type "<name>.unknown" and no ID, ordering key or
	// dedup key, except from a [Proof].
	Describe func(r *http.Request, body []byte) Description
	// Handshake answers the requests by which a sender tests an address before it sends
	// deliveries to it. Package handshake has those of common senders. It is called for
	// a request at most twice, until it returns an [Answer]:
	//
	//  1. Before anything is checked, even the client's address, with a nil proof: for
	//     GET, HEAD, OPTIONS and POST, if the whole body has at most 1 KiB, and if there
	//     is none or the [Budget] has memory for strangers. Anyone can send such a
	//     request. Handshake must answer only requests that cannot be deliveries.
	//  2. After Verifier.Verify, for POST, with the Proof and a body of any size that
	//     the Source allows.
	//
	// If it returns an Answer, that is sent, and the request never becomes a delivery. If
	// it returns nil, the request continues as if there were no Handshake: a POST is
	// passed to Verifier.Admit or to Describe, and another method is answered with 405. A
	// panic is answered with 500.
	//
	// Handshake is called concurrently and must return quickly. It must not change its
	// arguments, keep body or proof, or read r.Body. FormValue reads r.Body: to read the
	// query use r.URL.Query.
	//
	// If Handshake is nil, only POST is allowed, and strangers are refused before their
	// body is read. Otherwise up to 1 KiB of their body is read first, even if Handshake
	// answers only authentic requests. It must arrive within [Receiver.ReadTimeout]. All
	// of these bodies together use at most an eighth of the Budget.
	Handshake func(r *http.Request, body []byte, proof *Proof) *Answer
	// Scope returns the tenant that an authentic request belongs to, such as
	// r.PathValue("tenant"). Deliveries with different scopes share neither dedup keys
	// nor ordering keys, so a tenant cannot make a delivery of another one a duplicate,
	// nor delay or supersede it. Each of these keys then begins with the scope and "|".
	// In the scope "%" and "|" are escaped as in a URL; if it has NUL or is not UTF-8, more
	// characters are. Take the scope from what the verifier used to choose its keys, as
	// KeysFor does, or the proof does not hold for it.
	//
	// Scope is called after Verify, concurrently. In Open it gets the request that Open
	// got, which has path values only if a ServeMux or SetPathValue has set them. An
	// empty scope and a panic are answered with 500 and nothing is stored, so that the
	// sender tries again. If nil, all deliveries of the Source share their keys.
	Scope func(r *http.Request) string
	// Coalesce is copied to each delivery that has an ordering key, so that only the
	// newest delivery of a burst runs. It has an effect behind an inbox only. Zero
	// means off. The Source of package dockerhub sets it.
	Coalesce Coalesce
	// CoalesceTypes has the Coalesce of single types, by their full names, such as
	// "github.push". It takes precedence over Coalesce: for a type in it with a zero
	// Coalesce, that is off. The map must not be changed after the Source is in use. A
	// copy of the Source shares it. If nil, Coalesce is for all types.
	CoalesceTypes map[string]Coalesce
	// Budget bounds the memory for the bodies of requests in progress. See [Budget]
	// for the largest MaxBody that it allows. If nil, it is a Budget of 256 MiB that
	// all Sources of the process without their own share.
	Budget *Budget
}

// A Description is the result of [Source.Describe].
type Description struct {
	ID          string
	Type        string // with the name of the Source as prefix: "github.push"; the prefix alone is no type
	OrderingKey string
	// DedupKeys are those of the delivery; see [Delivery.DedupKeys]. If nil, the only
	// dedup key is the ID, if there is one. If empty and not nil, there are none.
	DedupKeys []string
	// DedupBySignature adds [Proof.Signature] to the dedup keys, so that a captured
	// request cannot run again with another ID, or at all if it has none. Do not set it if
	// a sender sends equal bodies for different events, unless it signs the time.
	DedupBySignature bool
	// Malformed is the error if the body does not have the sender's documented format.
	// The delivery is accepted, the error is logged, and its text becomes
	// [Delivery.Malformed], so that decoding the payload fails too.
	Malformed error
}

// Validate returns an error if the Source has no name, an unusable limit, no
// Verifier, or a Verifier whose own Validate fails. [NewReceiver] and Middleware call
// it and panic on its error. A program that uses only [Source.Open] must call it
// first.
func (s Source) Validate() error {
	if s.Name == "" {
		return errors.New("webhook: source has no name")
	}
	if s.MaxBody < 0 {
		return fmt.Errorf("webhook: source %s: MaxBody is negative", s.Name)
	}
	if clamp(s.Name) != s.Name {
		return errors.New("webhook: the source's name is too long or not plain UTF-8")
	}
	if s.Budget != nil && s.Budget.total == nil {
		return fmt.Errorf("webhook: source %s: Budget was not made by NewBudget", s.Name)
	}
	if err := s.validateCoalesce(); err != nil {
		return err
	}
	if most := s.budget().largest(); s.maxBody() > most {
		return fmt.Errorf("webhook: source %s: a body of %d bytes does not fit into its Budget, which allows %d", s.Name, s.maxBody(), most)
	}
	return validateAll("source "+s.Name, []Verifier{s.Verifier})
}

func (s Source) validateCoalesce() error {
	if err := s.Coalesce.validate(); err != nil {
		return fmt.Errorf("webhook: source %s: Coalesce: %w", s.Name, err)
	}
	for typ, c := range s.CoalesceTypes {
		if typ == "" {
			return fmt.Errorf("webhook: source %s: CoalesceTypes has an empty type", s.Name)
		}
		if clamp(typ) != typ {
			return fmt.Errorf("webhook: source %s: CoalesceTypes: the type %.64q is too long or not plain UTF-8", s.Name, typ)
		}
		if err := c.validate(); err != nil {
			return fmt.Errorf("webhook: source %s: CoalesceTypes[%q]: %w", s.Name, typ, err)
		}
	}
	return nil
}

// coalesce returns the Coalesce of a delivery.
func (s Source) coalesce(typ, orderingKey string) Coalesce {
	if orderingKey == "" {
		return Coalesce{}
	}
	if c, ok := s.CoalesceTypes[typ]; ok {
		return c
	}
	return s.Coalesce
}

// Open verifies and describes a request whose body has been read already. It does
// not read r.Body, applies no limits and does not call Handshake. The Delivery keeps
// body, which must not be changed afterwards. The error wraps [ErrUnverified], or, if the
// keys could not be looked up, [ErrOverloaded], or it is one of [Source.Scope].
func (s Source) Open(r *http.Request, body []byte) (*Delivery, error) {
	if s.Verifier == nil {
		return nil, fmt.Errorf("%s: %w", s.Name, errNotValidated)
	}
	if asksKeys(s.Verifier) {
		r = withKeyLookups(r)
	}
	got, err := s.open(r, body, credentialsOf(s.Verifier))
	if err != nil {
		return nil, err
	}
	return got.withOwnHeader(), nil
}

// An opened is a request that has been verified and described.
type opened struct {
	delivery  *Delivery
	malformed error // [Description.Malformed]
}

// withOwnHeader returns the delivery with a header of its own, for a caller that may
// change the request's.
func (o opened) withOwnHeader() *Delivery {
	o.delivery.Header = maps.Clone(o.delivery.Header)
	return o.delivery
}

// open is Open with the names of the credential headers.
func (s Source) open(r *http.Request, body []byte, credentials []string) (opened, error) {
	proof, err := s.verify(r, body)
	if err != nil {
		return opened{}, err
	}
	return s.deliver(r, body, proof, credentials)
}

// verify calls the Verifier. Its error refuses the request.
func (s Source) verify(r *http.Request, body []byte) (Proof, error) {
	proof, err := s.Verifier.Verify(r, body)
	if err != nil {
		return Proof{}, s.refusal(err)
	}
	return proof, nil
}

// deliver describes an authentic request. The delivery's header lacks the credential
// headers. If there are none to leave out, it is the header of the request.
func (s Source) deliver(r *http.Request, body []byte, proof Proof, credentials []string) (opened, error) {
	scope, err := s.scope(r)
	if err != nil {
		return opened{}, err
	}
	about := s.describe(r, body)
	about.ID = cmp.Or(proof.ID, about.ID)
	if about.Type == "" || about.Type == s.Name+"." {
		about.Type = s.untyped()
	}
	typ := clamp(about.Type)
	now := time.Now()
	return opened{&Delivery{
		UID:         newUID(now),
		Source:      s.Name,
		ID:          clamp(about.ID),
		Type:        typ,
		OrderingKey: scope.orderingKey(about.OrderingKey),
		DedupKeys:   dedupKeys(about, proof, scope),
		Coalesce:    s.coalesce(typ, about.OrderingKey),
		Header:      scrubHeader(r.Header, credentials, urlSecretsOf(r, s.Verifier)),
		Body:        body,
		KeyLabel:    clamp(proof.KeyLabel),
		ReceivedAt:  now,
		Malformed:   malformedText(about.Malformed),
	}, about.Malformed}, nil
}

// refusal returns a verifier's error as one that refuses the request, whatever else
// it wraps.
func (s Source) refusal(err error) error {
	switch StatusCode(err) {
	case http.StatusAccepted, http.StatusInternalServerError:
		return fmt.Errorf("%s: %w: %v", s.Name, ErrUnverified, err)
	}
	return fmt.Errorf("%s: %w", s.Name, err)
}

// describe calls Describe. It recovers a panic, also one of the error in the result:
// the request is authentic, so its delivery must not be lost.
func (s Source) describe(r *http.Request, body []byte) (about Description) {
	if s.Describe == nil {
		return Description{}
	}
	defer func() {
		if p := recover(); p != nil {
			about = Description{Malformed: &PanicError{Value: p, Stack: debug.Stack()}}
		}
	}()
	about = s.Describe(r, body)
	about.Malformed = toSafe(about.Malformed)
	return about
}

// untyped is the type of a delivery for which Describe returns no type.
func (s Source) untyped() string { return s.Name + ".unknown" }

// takes reports whether the Content-Type is one of the accepted ones.
func (s Source) takes(h http.Header) bool {
	return len(s.ContentTypes) == 0 || hasMediaType(h, s.ContentTypes)
}

// maxBody is smaller than every Budget, so adding to it does not overflow.
func (s Source) maxBody() int64 { return cmp.Or(s.MaxBody, defaultMaxBody) }

func (s Source) budget() *Budget { return cmp.Or(s.Budget, sharedBudget) }
