package kudu

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// The events that Kudu itself publishes (Kudu: HooksEventTypes.cs). A program
// can subscribe to any other name too, and publish it with [Client.Publish].
const (
	EventPostDeployment       = "PostDeployment"
	EventTriggeredJobFinished = "TriggeredJobFinished"
)

// A Hook is a subscription at a site: Kudu posts each event with its name to
// its URL (Kudu: WebHook.cs). It prints as ID, event and host only, because the
// URL often contains a secret and the last body must not be logged.
type Hook struct {
	// ID is assigned by Kudu: the time of creation in .NET ticks, as text.
	ID string
	// Event is the name of the event. Kudu ignores its case.
	Event string
	// URL is absolute. Kudu sends its user information as credentials when it
	// is asked for them; see the package comment. A site has only one hook per
	// URL, ignoring case.
	URL string
	// InsecureSSL makes Kudu skip the verification of the server's certificate.
	InsecureSSL bool

	// Kudu sets the following fields, which describe the last call. Before the
	// first call LastTime is zero and the strings are empty.
	//
	// LastStatus is .NET's name of the HTTP status, such as "OK" or
	// "NoContent", the number of a status without a name, or "Failure" if there
	// was no answer.
	LastStatus string
	// LastReason is the reason phrase of the answer, or the reason why there
	// was none.
	LastReason string
	// LastTime is the time of the call. The format in Kudu's wiki,
	// "08/08/2013 13:24PM", is parsed with the month first and as UTC.
	LastTime time.Time
	// LastContext is the whole body of the call.
	LastContext string
}

// String returns ID, event and host.
func (h Hook) String() string {
	return fmt.Sprintf("hook %s for %s at %s", h.ID, h.Event, hostOf(h.URL))
}

// GoString returns the same as String.
func (h Hook) GoString() string { return h.String() }

// LogValue returns ID, event, host, and status and time of the last call.
func (h Hook) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("id", h.ID),
		slog.String("event", h.Event),
		slog.String("host", hostOf(h.URL)),
		slog.String("last_status", h.LastStatus),
		slog.Time("last_time", h.LastTime),
	)
}

// validate returns an error for a hook that Kudu would refuse with 500 or never
// call. The error does not contain the URL.
func (h Hook) validate() error {
	if _, err := parseURL(h.URL); err != nil || strings.ContainsAny(h.URL, " \\^`{|}\"<>") {
		return fmt.Errorf("%w: the URL is not an absolute and escaped http or https URL", ErrHookInvalid)
	}
	if h.Event == "" {
		return fmt.Errorf("%w: the event is empty", ErrHookInvalid)
	}
	return nil
}

// A hookRequest is the body that Subscribe sends. Kudu would ignore an id.
type hookRequest struct {
	URL         string `json:"url"`
	Event       string `json:"event"`
	InsecureSSL bool   `json:"insecure_ssl"`
}

// A hookAnswer is the wire format of a Hook. Kudu omits no member; one that is
// not set is null.
type hookAnswer struct {
	ID          hookID    `json:"id"`
	Event       string    `json:"event"`
	URL         string    `json:"url"`
	InsecureSSL bool      `json:"insecure_ssl"`
	LastStatus  string    `json:"last_status"`
	LastReason  string    `json:"last_reason"`
	LastTime    wire.Time `json:"last_datetime"` // without a zone before the first call
	LastContext string    `json:"last_context"`
}

// hook returns a as a Hook, and an error for null and for a hook without ID or
// URL.
func (a *hookAnswer) hook() (Hook, error) {
	if a == nil || a.ID == "" || a.URL == "" {
		return Hook{}, fmt.Errorf("%w: hook without id or URL", ErrAnswer)
	}
	last, err := a.lastTime()
	if err != nil {
		return Hook{}, err
	}
	return Hook{
		ID: string(a.ID), Event: a.Event, URL: a.URL, InsecureSSL: a.InsecureSSL,
		LastStatus: a.LastStatus, LastReason: a.LastReason, LastTime: last, LastContext: a.LastContext,
	}, nil
}

// wikiTime is the time format in Kudu's wiki, that of .NET's invariant culture
// with an additional AM or PM after the 24-hour time.
const wikiTime = "01/02/2006 15:04PM"

// lastTime returns the time of the last call, or zero if there was none. A text
// that is not a time is an error, since zero would mean that the hook was never
// called.
func (a *hookAnswer) lastTime() (time.Time, error) {
	if a.LastTime.Valid() || a.LastTime.Text() == "" {
		return a.LastTime.Time, nil
	}
	at, err := time.Parse(wikiTime, a.LastTime.Text())
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: last_datetime of hook %s is not a time", ErrAnswer, a.ID)
	}
	return at, nil
}

// A hookID decodes an ID, which is a string in Kudu's code and a number in its
// wiki.
type hookID string

// UnmarshalJSON keeps the digits of a number, since a float64 cannot hold all
// digits of ticks.
func (id *hookID) UnmarshalJSON(token []byte) error {
	if token = bytes.TrimSpace(token); len(token) > 0 && (token[0] == '-' || '0' <= token[0] && token[0] <= '9') {
		*id = hookID(token)
		return nil
	}
	return json.Unmarshal(token, (*string)(id))
}
