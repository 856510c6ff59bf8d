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

// The events that Kudu publishes itself (Kudu: HooksEventTypes.cs). Any other
// name can be subscribed to, and published with [Client.Publish].
const (
	EventPostDeployment       = "PostDeployment"
	EventTriggeredJobFinished = "TriggeredJobFinished"
)

// A Hook is a subscription at a site: Kudu posts each such event to the URL
// (Kudu: WebHook.cs). It prints as id, event and host, because its URL often
// has a secret in it and its last body belongs in no log.
type Hook struct {
	// ID is given by Kudu: the .NET ticks at which it was made, as text.
	ID string
	// Event is told without regard to case.
	Event string
	// URL is absolute. User information in it is what Kudu answers a challenge
	// with; see the package comment. Any other hook of the site with this URL, in
	// whatever case, is the same hook.
	URL string
	// InsecureSSL makes Kudu call without looking at the certificate.
	InsecureSSL bool

	// The rest tells of the last call and is given by Kudu. LastTime is zero and
	// the texts are empty until there was one.
	//
	// LastStatus is the name that .NET has for the HTTP status, such as "OK" or
	// "NoContent", a number where it has none, and "Failure" where no answer came.
	LastStatus string
	// LastReason is the reason phrase of the answer, or why there was none.
	LastReason string
	// LastTime is when it was called. A time in the form of the wiki,
	// "08/08/2013 13:24PM", is read with the month first and as UTC.
	LastTime time.Time
	// LastContext is the whole last body.
	LastContext string
}

// String returns id, event and host.
func (h Hook) String() string {
	return fmt.Sprintf("hook %s for %s at %s", h.ID, h.Event, hostOf(h.URL))
}

// GoString returns the same as String.
func (h Hook) GoString() string { return h.String() }

// LogValue returns id, event, host and how the last call went.
func (h Hook) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("id", h.ID),
		slog.String("event", h.Event),
		slog.String("host", hostOf(h.URL)),
		slog.String("last_status", h.LastStatus),
		slog.Time("last_time", h.LastTime),
	)
}

// validate refuses what Kudu answers with 500, or would never call. Its error
// does not repeat the URL.
func (h Hook) validate() error {
	if _, err := parseURL(h.URL); err != nil || strings.ContainsAny(h.URL, " \\^`{|}\"<>") {
		return fmt.Errorf("%w: its URL is not an absolute and escaped http or https URL", ErrHookInvalid)
	}
	if h.Event == "" {
		return fmt.Errorf("%w: it names no event", ErrHookInvalid)
	}
	return nil
}

// A hookRequest is what Subscribe sends. An id would be ignored.
type hookRequest struct {
	URL         string `json:"url"`
	Event       string `json:"event"`
	InsecureSSL bool   `json:"insecure_ssl"`
}

// A hookAnswer is a hook as Kudu returns it: nothing is left out, and what is
// not set is null.
type hookAnswer struct {
	ID          hookID    `json:"id"`
	Event       string    `json:"event"`
	URL         string    `json:"url"`
	InsecureSSL bool      `json:"insecure_ssl"`
	LastStatus  string    `json:"last_status"`
	LastReason  string    `json:"last_reason"`
	LastTime    wire.Time `json:"last_datetime"` // without zone until there was a call
	LastContext string    `json:"last_context"`
}

// hook refuses null and what could not be told from another hook.
func (a *hookAnswer) hook() (Hook, error) {
	if a == nil || a.ID == "" || a.URL == "" {
		return Hook{}, fmt.Errorf("%w: a hook without id or URL", ErrAnswer)
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

// wikiTime is how the wiki writes a time: as .NET does where no culture is set,
// with an AM or PM beside the hours of the day.
const wikiTime = "01/02/2006 15:04PM"

// lastTime returns the time of the last call, zero where there was none. What is
// no time is an error: zero would say that the hook was never called.
func (a *hookAnswer) lastTime() (time.Time, error) {
	if a.LastTime.Valid() || a.LastTime.Text() == "" {
		return a.LastTime.Time, nil
	}
	at, err := time.Parse(wikiTime, a.LastTime.Text())
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: the last_datetime of hook %s is no time", ErrAnswer, a.ID)
	}
	return at, nil
}

// A hookID is text; the wiki shows a number.
type hookID string

// UnmarshalJSON takes a number for its digits, since ticks are exact to more of
// them than a float holds.
func (id *hookID) UnmarshalJSON(token []byte) error {
	if token = bytes.TrimSpace(token); len(token) > 0 && (token[0] == '-' || '0' <= token[0] && token[0] <= '9') {
		*id = hookID(token)
		return nil
	}
	return json.Unmarshal(token, (*string)(id))
}
