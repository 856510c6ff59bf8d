package github

import (
	"net/http"

	"github.com/hookhouse/hookhouse/internal/scan"
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

// describe is Source.Describe. It reads of the body only what the event's key
// or the judgement of a dispatch needs, and nothing where there is neither.
func describe(r *http.Request, body []byte) webhook.Description {
	about := webhook.Description{
		ID:          single(r.Header, deliveryKey),
		Unique:      []string{},
		Fingerprint: true,
	}
	if about.ID != "" {
		about.Unique = []string{"id:" + about.ID}
	}
	event := eventName(r.Header)
	if event == "" {
		return about
	}
	about.Type = sourceName + "." + event
	w, ok := watches[event]
	if !ok {
		return about
	}
	doc, err := (&webhook.Delivery{Source: sourceName, Header: r.Header, Body: body}).Document()
	if err != nil {
		about.Malformed = err
		return about
	}
	var found [maxWatched]scan.Value
	values := found[:w.paths.Len()]
	if err := w.paths.Scan(doc, values); err != nil {
		about.Malformed = err
		return about
	}
	about.Fingerprint = w.repeats == nil || !w.repeats(values)
	about.Checked = w.payload
	about.Key = w.key(values)
	return about
}

// check is what the payloads' Check methods do: the scan of describe again, for
// a delivery that comes out of storage.
func check(event string, doc []byte) error {
	var found [maxWatched]scan.Value
	w := watches[event]
	return w.paths.Scan(doc, found[:w.paths.Len()])
}

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
