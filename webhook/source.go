package webhook

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
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
	// "github.push"; one without a prefix is an error of Validate. It takes precedence over
	// Coalesce: a type with a zero Coalesce in it does not coalesce. The map must not be
	// changed after the Source is in use, and a copy of the Source shares it. If nil,
	// Coalesce is for all types.
	CoalesceTypes map[string]Coalesce
	// Budget bounds the memory for the bodies of requests in progress. See [Budget]
	// for the largest MaxBody that it allows. If nil, it is a Budget of 256 MiB that
	// all Sources of the process without their own share.
	Budget *Budget
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
	if isNil(s.Verifier) {
		return fmt.Errorf("webhook: source %s: Verifier is nil", s.Name)
	}
	return validateAll("source "+s.Name, []Verifier{s.Verifier})
}

// takes reports whether the Content-Type is one of the accepted ones.
func (s Source) takes(h http.Header) bool {
	return len(s.ContentTypes) == 0 || hasMediaType(h, s.ContentTypes)
}

// maxBody is smaller than every Budget, so adding to it does not overflow.
func (s Source) maxBody() int64 { return cmp.Or(s.MaxBody, defaultMaxBody) }

func (s Source) budget() *Budget { return cmp.Or(s.Budget, sharedBudget) }
