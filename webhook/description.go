package webhook

import (
	"net/http"
	"runtime/debug"
)

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
