package publish

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// The headers of the deliveries in the outbox. They are stored there and never sent.
const (
	typeHeader     = "Publish-Type"
	ownerHeader    = "Publish-Owner"
	keyHeader      = "Publish-Key"
	eventHeader    = "Publish-Event"
	endpointHeader = "Publish-Endpoint"
	testHeader     = "Publish-Test"
	sizeHeader     = "Publish-Size"
	resentHeader   = "Publish-Resent"
	contentHeader  = "Content-Type"
)

// idPrefix is what the ID of an event begins with. The rest is the UID of its delivery.
const idPrefix = "msg_"

// A message is what the outbox stores of an event beside its body: with the event itself,
// and with each of the deliveries to endpoints that follow from it.
type message struct {
	typ, owner, key string
	contentType     string // empty: application/json

	event    string // UID of the event; empty in the event itself
	endpoint string // of a delivery: where it goes; of an event: the only one that it is for
	test     bool   // of a delivery: it is tried once, whatever the state of the endpoint is
	// resent is when Resend stored the delivery, to the second; zero if it did not.
	resent time.Time
	// size is the size of the body if that is not in the delivery and must be read from the
	// event; zero if it is there.
	size int64
}

// id returns the ID of the event.
func (m *message) id() string { return idPrefix + m.event }

// header returns the message as the header of a delivery.
func (m *message) header() http.Header {
	h := make(http.Header)
	set := func(name, value string) {
		if value != "" {
			h[name] = []string{value}
		}
	}
	set(typeHeader, m.typ)
	set(ownerHeader, m.owner)
	set(keyHeader, m.key)
	set(contentHeader, m.contentType)
	set(eventHeader, m.event)
	set(endpointHeader, m.endpoint)
	if m.test {
		set(testHeader, "1")
	}
	if !m.resent.IsZero() {
		set(resentHeader, strconv.FormatInt(m.resent.Unix(), 10))
	}
	if m.size > 0 {
		set(sizeHeader, strconv.FormatInt(m.size, 10))
	}
	return h
}

// parseMessage returns the message of a delivery. The error is [webhook.ErrMalformed] if a
// Publisher has not made the delivery.
func parseMessage(d *webhook.Delivery) (message, error) {
	get := func(name string) string {
		if values := d.Header[name]; len(values) > 0 {
			return values[0]
		}
		return ""
	}
	m := message{
		typ: get(typeHeader), owner: get(ownerHeader), key: get(keyHeader), contentType: get(contentHeader),
		event: get(eventHeader), endpoint: get(endpointHeader), test: get(testHeader) != "",
	}
	if m.typ == "" {
		return m, fmt.Errorf("%w: the delivery has no %s: who has put it?", webhook.ErrMalformed, typeHeader)
	}
	if size := get(sizeHeader); size != "" {
		var err error
		if m.size, err = strconv.ParseInt(size, 10, 64); err != nil || m.size <= 0 {
			return m, fmt.Errorf("%w: %s %q is not the size of a body", webhook.ErrMalformed, sizeHeader, size)
		}
	}
	if resent := get(resentHeader); resent != "" {
		at, err := strconv.ParseInt(resent, 10, 64)
		if err != nil {
			return m, fmt.Errorf("%w: %s %q is not a time", webhook.ErrMalformed, resentHeader, resent)
		}
		m.resent = time.Unix(at, 0)
	}
	return m, nil
}

// uidOf returns the UID of the event with an ID that a Publisher has returned.
func uidOf(id string) string { return strings.TrimPrefix(id, idPrefix) }

// lane returns the ordering key of an event's delivery to an endpoint. Events of one Key
// share a lane, and those without a Key are spread.
func (m *message) lane(endpoint string, lanes int) string {
	h := fnv.New64a()
	if m.key != "" {
		_, _ = h.Write([]byte(digest(m.owner, m.key)))
	} else {
		_, _ = h.Write([]byte(m.event))
	}
	return laneKey(endpoint, int(h.Sum64()%uint64(max(lanes, 1))))
}

// laneKey is the ordering key of a lane of an endpoint.
func laneKey(endpoint string, lane int) string { return endpoint + "/" + strconv.Itoa(lane) }

// testKey is the ordering key of the tests of an endpoint: they do not wait in its lanes,
// and run one at a time.
func testKey(endpoint string) string { return endpoint + "/test" }
