package github

import (
	"net/http"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	sourceName = "github"
	// maxEvent is more than the longest event name that GitHub has.
	maxEvent = 64
)

// The headers that describe reads, as a server's [http.Header] has them.
var (
	eventKey    = http.CanonicalHeaderKey(EventHeader)
	deliveryKey = http.CanonicalHeaderKey(DeliveryHeader)
)

// describe is Source.Describe. It reads of the body only what the key and the
// judgement of the signature need. Where these cannot be told there is neither,
// and a body that should have a key is malformed.
func describe(r *http.Request, body []byte) webhook.Description {
	about := webhook.Description{ID: single(r.Header, deliveryKey)}
	event := eventName(r.Header)
	w, listed := watches[event]
	if !listed {
		w = unlisted
		if event != "" {
			w.typ = typeOf(event)
		}
	}
	about.Type = w.typ
	var v values
	doc, err := (&webhook.Delivery{Source: sourceName, Header: r.Header, Body: body}).Document()
	if err == nil {
		err = w.paths.Scan(doc, v[:w.paths.Len()])
	}
	if err != nil {
		if w.subject != "" {
			about.Malformed = err
		}
		return about
	}
	about.DedupBySignature = w.once(v)
	about.OrderingKey = w.key(v)
	return about
}

// check is what the payloads' Check methods do: the scan of describe again, for
// a delivery that comes out of storage.
func check(event string, doc []byte) error {
	var v values
	w := watches[event]
	return w.paths.Scan(doc, v[:w.paths.Len()])
}

// typeOf is the type of a delivery with this event's name.
func typeOf(event string) string { return sourceName + "." + event }

// eventName returns the event's name; empty where the header is missing, stands
// there twice, or is no name. The header is not signed, and the name becomes a
// route, a column and a metric's label.
func eventName(h http.Header) string {
	name := single(h, eventKey)
	if len(name) > maxEvent {
		return ""
	}
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return ""
		}
	}
	return name
}

// single returns the value of a header that stands there once. The key is a
// canonical one.
func single(h http.Header, key string) string {
	if values := h[key]; len(values) == 1 {
		return values[0]
	}
	return ""
}
