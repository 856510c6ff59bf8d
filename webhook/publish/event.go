package publish

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"mime"
	"slices"

	"github.com/hookhouse/hookhouse/internal/limit"
	"github.com/hookhouse/hookhouse/webhook"
)

// An Event is something that has happened and that endpoints want to know.
type Event struct {
	// Type is what happened, such as "invoice.paid"; see [ValidateType].
	Type string
	// Payload is what is sent. A []byte, a json.RawMessage and a string are sent byte for
	// byte; of a json.RawMessage it is checked that it is JSON. Anything else is encoded by
	// encoding/json when the event is published. A nil Payload is sent as null.
	Payload any
	// ContentType is the Content-Type of the requests. Empty means application/json.
	ContentType string
	// Owner is whose event it is, such as a tenant. Only endpoints of the same owner receive
	// it.
	Owner string
	// Key is what the event is about, such as an invoice. Events of an owner with the same
	// Key share a lane of each endpoint: they are sent one at a time, and in order while
	// nothing fails. With [Endpoint.Ordered] they are in order always. If empty, the event has
	// no order.
	Key string
	// Once makes a second event of the owner with the same Once a duplicate, for as long as
	// the inbox remembers dedup keys, which is 30 days if nothing else is set. The second one
	// is not stored, whatever its payload is. If empty, the event is never a duplicate.
	Once string
}

// encode returns the payload as it is sent.
func (e *Event) encode() ([]byte, error) {
	switch payload := e.Payload.(type) {
	case []byte:
		return slices.Clone(payload), nil
	case string:
		return []byte(payload), nil
	case json.RawMessage:
		if !json.Valid(payload) {
			return nil, e.invalid("Payload", "it is a json.RawMessage that is not JSON")
		}
		return slices.Clone(payload), nil
	}
	body, err := json.Marshal(e.Payload)
	if err != nil {
		return nil, fmt.Errorf("%w: Payload: %w", ErrEvent, err)
	}
	return body, nil
}

func (e *Event) invalid(field, fault string) error {
	return fmt.Errorf("%w of type %s: %s: %s", ErrEvent, quote(e.Type), field, fault)
}

// validate checks everything but the payload. Types are those that a Publisher knows; nil
// means any.
func (e *Event) validate(types []string) error {
	if err := ValidateType(e.Type); err != nil {
		return err
	}
	if types != nil && !slices.Contains(types, e.Type) {
		return fmt.Errorf("%w: Type %s: it is not one of Publisher.EventTypes", ErrEvent, quote(e.Type))
	}
	for _, f := range []struct{ name, value string }{{"Owner", e.Owner}, {"Key", e.Key}, {"Once", e.Once}, {"ContentType", e.ContentType}} {
		if fault := textFault(f.value, limit.Name); fault != "" {
			return e.invalid(shown(f.name, f.value), fault)
		}
	}
	if e.ContentType != "" {
		if _, _, err := mime.ParseMediaType(e.ContentType); err != nil || !isHeaderValue(e.ContentType) {
			return e.invalid(shown("ContentType", e.ContentType), "it is no media type")
		}
	}
	return nil
}

// delivery returns the event as it is stored in the outbox. The endpoint is the only one
// that it is for; empty means all that match.
func (p *Publisher) delivery(e *Event, endpoint string) (*webhook.Delivery, error) {
	if err := e.validate(p.EventTypes); err != nil {
		return nil, err
	}
	body, err := e.encode()
	if err != nil {
		return nil, err
	}
	if most := p.maxPayload(); int64(len(body)) > most {
		return nil, e.invalid("Payload", fmt.Sprintf("it has %d bytes, at most %d are allowed; see Publisher.MaxPayload", len(body), most))
	}
	d := webhook.NewDelivery(p.source(), p.EventType(), "", body)
	if e.Key != "" {
		d.OrderingKey = "event/" + digest(e.Owner, e.Key)
	}
	if e.Once != "" {
		d.ID = "once/" + digest(e.Owner, e.Once) // a redelivery has the same ID
		d.DedupKeys = []string{d.ID}
	}
	m := message{typ: e.Type, owner: e.Owner, key: e.Key, contentType: e.ContentType, endpoint: endpoint}
	d.Header = m.header()
	return d, nil
}

// digest returns a short text that differs for other owners and names. A name that is a
// part of a key of the outbox could otherwise be cut, or could be taken for another one.
func digest(owner, name string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d:%s%s", len(owner), owner, name)
	return hex.EncodeToString(h.Sum(nil)[:16])
}
