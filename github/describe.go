package github

import (
	"net/http"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	sourceName = "github"
	// maxEvent is longer than every event name of GitHub.
	maxEvent = 64
)

// The canonical keys of the headers that describe reads.
var (
	eventKey    = http.CanonicalHeaderKey(EventHeader)
	deliveryKey = http.CanonicalHeaderKey(DeliveryHeader)
)

// describe is the Describe of Source. From the body it reads only the values
// that the ordering key and the decision about the signature depend on. If it
// cannot read them, the delivery has neither, and it is malformed if its event
// has an ordering key.
func describe(r *http.Request, body []byte) webhook.Description {
	about := webhook.Description{ID: single(r.Header, deliveryKey)}
	event := eventName(r.Header)
	rule, ok := eventRules[event]
	if !ok {
		rule = defaultRule
		if event != "" {
			rule.typ = typeOf(event)
		}
	}
	about.Type = rule.typ
	var v values
	doc, err := (&webhook.Delivery{Source: sourceName, Header: r.Header, Body: body}).Document()
	if err == nil {
		err = rule.paths.Scan(doc, v[:rule.paths.Len()])
	}
	if err != nil {
		if rule.subject != "" {
			about.Malformed = err
		}
		return about
	}
	about.DedupBySignature = rule.dedupBySignature(v)
	about.OrderingKey = rule.orderingKey(v)
	return about
}

// check reports whether describe can read the document of an event
// unambiguously. The Check methods of the payloads call it.
func check(event string, doc []byte) error {
	var v values
	rule := eventRules[event]
	return rule.paths.Scan(doc, v[:rule.paths.Len()])
}

// typeOf returns the type of an event's deliveries.
func typeOf(event string) string { return sourceName + "." + event }

// eventName returns the name of the event, or "" if the header is missing,
// occurs twice, or is not a valid name. The header is not signed, and the name
// is used as a route, in a column and as a label of metrics.
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

// single returns the value of a header that occurs exactly once, and ""
// otherwise. The key must be canonical.
func single(h http.Header, key string) string {
	if values := h[key]; len(values) == 1 {
		return values[0]
	}
	return ""
}
