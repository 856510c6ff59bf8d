package publishcrash

import (
	"fmt"
	"mime"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// The types of the events. Only temporary endpoints receive rare ones.
const (
	usual = "crash.usual"
	rare  = "crash.rare"
)

// The ways to publish.
const (
	plain      = "plain"
	committed  = "tx"
	rolledBack = "rollback"
)

// An event is what a writer publishes. Its name says all of it.
type event struct {
	life   int // of the publisher; the first process is 1
	writer int
	number int // of the writer
	how    string
}

func (e event) name() string {
	return fmt.Sprintf("%d-%d-%d-%s", e.life, e.writer, e.number, e.how)
}

// parseEvent returns the event of a name, and the zero event if it is none.
func parseEvent(name string) (e event) {
	if _, err := fmt.Sscanf(name, "%d-%d-%d-%s", &e.life, &e.writer, &e.number, &e.how); err != nil || e.name() != name {
		return event{}
	}
	return e
}

// key returns what the event is about: every second writer has a key of its own.
func (e event) key() string {
	if e.writer%2 == 0 {
		return fmt.Sprintf("writer%d", e.writer)
	}
	return ""
}

func (e event) typ() string {
	if e.number%4 == 0 {
		return rare
	}
	return usual
}

// body is so large for some that their deliveries have no copy.
func (e event) body() string {
	times := 100
	if e.number%16 == 0 {
		times = 2000
	}
	return e.name() + "\n" + strings.Repeat("the same again, ", times)
}

// event returns what to publish. Its ContentType carries the name to wherever it is needed.
func (e event) event() publish.Event {
	return publish.Event{Type: e.typ(), Key: e.key(), Payload: e.body(), ContentType: mime.FormatMediaType("text/plain", map[string]string{"name": e.name()})}
}

// nameOf returns the name in a content type, or "".
func nameOf(contentType string) string {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	return params["name"]
}

// secret is that of all endpoints.
var secret = webhook.NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
