package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"
)

// defaultMaxBody is the limit of a Source that sets none.
const defaultMaxBody = 1 << 20

// A Source describes one sender. It is data: copy it, change a field, or write
// a literal for a sender of your own. The providers' packages return theirs
// from a func named Source.
type Source struct {
	// Name becomes [Delivery.Source], such as "github". Required.
	Name string
	// MaxBody is the largest body in bytes; beyond it the answer is 413.
	// Zero means 1 MiB.
	MaxBody int64
	// ContentTypes are the media types that it takes, without parameters; others
	// get 415. Empty means any.
	ContentTypes []string
	// Verifier proves that a call is genuine. Required.
	Verifier Verifier
	// Describe reads what the delivery is about from the headers and the body,
	// which is authentic and may still be malformed. It must not change either,
	// never fails, and leaves empty what it cannot tell: without a type it is
	// "<name>.unknown", of which the log tells once a minute. The body is as it was
	// sent, which may be a form. The JSON of either is
	//	(&webhook.Delivery{Header: r.Header, Body: body}).Document()
	// Zero means a Source that tells nothing: no id, no key, type "<name>.unknown".
	Describe func(r *http.Request, body []byte) Description
	// Coalesce is given to every delivery that has an ordering key, so that of a
	// burst only the newest runs. It works behind an inbox only. Zero means off;
	// package dockerhub sets it.
	Coalesce Coalesce
	// Budget bounds the memory of bodies being received; see [Budget] for the
	// largest MaxBody it takes. Zero means one of 256 MiB that all such Sources of
	// the process share.
	Budget *Budget
}

// A Description is what [Source.Describe] finds out about a body.
type Description struct {
	ID          string
	Type        string // with the Source's name in front: "github.push"
	OrderingKey string
	// DedupKeys are those of the delivery; see [Delivery.DedupKeys]. If nil, the ID is
	// its only one, if there is one. If empty and not nil, it has none.
	DedupKeys []string
	// DedupBySignature adds [Proof.Signature] to the dedup keys, so that a captured
	// call cannot run again under another id. Do not set it if a sender sends equal
	// bodies for different events.
	DedupBySignature bool
	// Malformed is why the body is not one that the sender documents. The delivery is
	// accepted, and the reason is logged. Decoding its payload fails, through the
	// payload's [Checker] if the decoder itself would not notice.
	Malformed error
}

// Validate refuses a Source without name or verifier, or whose verifier refuses
// itself. [NewReceiver] and Middleware call it and panic on its error; a program
// that uses only [Source.Open] calls it first.
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
	if most := s.budget().largest(); s.maxBody() > most {
		return fmt.Errorf("webhook: source %s: a body of %d bytes does not fit into its Budget, which takes %d", s.Name, s.maxBody(), most)
	}
	return validateAll("source "+s.Name, []Verifier{s.Verifier})
}

// Open verifies body against the request and describes it: the pure decision,
// without transport. It does not read r.Body and applies no limit. The Delivery
// keeps body; do not change it afterwards. The error wraps [ErrUnverified].
func (s Source) Open(r *http.Request, body []byte) (*Delivery, error) {
	if s.Verifier == nil {
		return nil, fmt.Errorf("%s: %w", s.Name, errNotValidated)
	}
	d, _, err := s.open(r, body, credentialsOf(s.Verifier))
	return d, err
}

// open is Open that also returns what Describe says is malformed.
func (s Source) open(r *http.Request, body []byte, credentials []string) (d *Delivery, malformed, err error) {
	proof, err := s.Verifier.Verify(r, body)
	if err != nil {
		return nil, nil, s.refusal(err)
	}
	about := s.describe(r, body)
	if proof.ID != "" {
		about.ID = proof.ID
	}
	if about.Type == "" {
		about.Type = s.unknown()
	}
	var coalesce Coalesce
	if about.OrderingKey != "" {
		coalesce = s.Coalesce
	}
	now := time.Now()
	return &Delivery{
		UID:         newUID(now),
		Source:      s.Name,
		ID:          clamp(about.ID),
		Type:        clamp(about.Type),
		OrderingKey: clamp(about.OrderingKey),
		DedupKeys:   dedupKeys(about, proof),
		Coalesce:    coalesce,
		Header:      headerWithout(r.Header, credentials, carriedBy(r, s.Verifier)),
		Body:        body,
		KeyLabel:    clamp(proof.KeyLabel),
		ReceivedAt:  now,
	}, about.Malformed, nil
}

// refusal makes a verifier's error one that refuses: whatever else it wraps, it
// can never become success.
func (s Source) refusal(err error) error {
	switch StatusCode(err) {
	case http.StatusAccepted, http.StatusInternalServerError:
		return fmt.Errorf("%s: %w: %v", s.Name, ErrUnverified, err)
	}
	return fmt.Errorf("%s: %w", s.Name, err)
}

// describe contains a panic of Describe, also of the error in what it returns:
// the call is authentic, so it is kept.
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
	about.Malformed = judge(about.Malformed)
	return about
}

// unknown is the type of a delivery whose type Describe does not tell.
func (s Source) unknown() string { return s.Name + ".unknown" }

// takes reports whether the Content-Type is one of the Source's.
func (s Source) takes(h http.Header) bool {
	return len(s.ContentTypes) == 0 || hasType(s.ContentTypes, h.Get("Content-Type"))
}

func (s Source) maxBody() int64 {
	if s.MaxBody == 0 {
		return defaultMaxBody
	}
	return s.MaxBody // less than any Budget, so adding to it does not overflow
}

func (s Source) budget() *Budget {
	if s.Budget == nil {
		return sharedBudget
	}
	return s.Budget
}
