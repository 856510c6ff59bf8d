package webhook

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"time"
)

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

// OpenUnsigned describes a call that the program did not receive but got in another way,
// such as from the API of the sender, and that no signature proves. The result has the ID,
// the type and the keys that the call would have, so that an inbox stores only one of the
// two. Its Unsigned is why, which must not be empty.
//
//   - OpenUnsigned does not call the Verifier, and an ID or a signature that only a
//     [Proof] has is missing. The delivery is as trustworthy as the way by which the
//     program got it.
//   - The body may differ from the one that the sender signed, for example in white space
//     and in the order of names. A callback that compares bytes or checks the signature
//     again must expect that.
//   - It applies no limits. The Delivery keeps body, which must not be changed afterwards.
//   - Scope gets r. An error is one of Scope, or says that why is empty.
func (s Source) OpenUnsigned(r *http.Request, body []byte, why string) (*Delivery, error) {
	if why == "" {
		return nil, fmt.Errorf("webhook: %s: OpenUnsigned needs to know why the call is not signed", s.Name)
	}
	got, err := s.deliver(r, body, Proof{}, credentialsOf(s.Verifier))
	if err != nil {
		return nil, err
	}
	d := got.withOwnHeader()
	d.Unsigned = clipReason(why)
	return d, nil
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
