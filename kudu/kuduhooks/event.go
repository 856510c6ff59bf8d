package kuduhooks

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

const (
	// typePrefix begins the types of the events.
	typePrefix = "kudu."
	// encodedPrefix begins the rest of a type if the name of the event has characters that a
	// type cannot have.
	encodedPrefix = "x-"
	// eventMeta is where an endpoint keeps the event as it was requested.
	eventMeta = "kudu-event"
	// contentType is the one of Kudu's requests (Kudu: WebHooksManager.cs).
	contentType = "application/json; charset=utf-8"
	// maxEvent is the largest length of a name in bytes. Kudu has no limit.
	maxEvent = 100
)

// Event returns an event for the hooks with this name, whatever its case is, to be published
// by the Publisher: with Publish, or with PublishTx in a transaction of the program. Hooks
// get the events of one name in order while nothing fails. The payload is as that of a
// [publish.Event]; a kudu.Deployment and a kudu.TriggeredJobRun are encoded as Kudu does. A
// name that is empty or longer than 100 bytes is an error of Publish.
func (h *Handler) Event(name string, payload any) publish.Event {
	e := publish.Event{Owner: h.owner(), Payload: payload, ContentType: contentType}
	if checkEvent(name) == nil {
		e.Type = eventType(name)
		e.Key = e.Type
	}
	return e
}

// checkEvent returns an error if name is not the name of an event.
func checkEvent(name string) error {
	switch {
	case name == "":
		return errors.New("event: it is empty")
	case len(name) > maxEvent:
		return fmt.Errorf("event: it has %d bytes, at most %d are allowed", len(name), maxEvent)
	}
	return nil
}

// plainName matches a name that can be a word of a type as it is.
var plainName = regexp.MustCompile(`^[a-z0-9_-]+$`)

// eventType returns the type of the events with a name. Names that differ by more than their
// case have different types.
func eventType(name string) string {
	lower := strings.ToLower(name)
	if plainName.MatchString(lower) && !strings.HasPrefix(lower, encodedPrefix) {
		return typePrefix + lower
	}
	return typePrefix + encodedPrefix + hex.EncodeToString([]byte(lower))
}
