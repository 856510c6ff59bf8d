package publish

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// An Endpoint is a URL that receives events. Those who register it own it. [Endpoint.Validate]
// says which values the fields can have.
//
// It is printed, by package fmt and by log/slog, without its secrets, its header, its Meta,
// and the path and query of its URL. Package encoding/json is for those who may see an
// endpoint: it writes the URL and the header whole, and a secret as REDACTED.
type Endpoint struct {
	// ID is unique among all endpoints, and never changes.
	ID string
	// Owner is whose endpoint it is, such as a tenant. It receives the events of its owner
	// only, and the owner never changes. A program without tenants leaves it empty.
	Owner string
	// Name is unique among the endpoints of an owner, without regard to case. Endpoints
	// without a name are not compared.
	Name        string
	Description string
	URL         string // absolute
	// Events are the types of the events that it receives, as patterns; see [Patterns].
	Events []string
	// Scheme names how its requests are signed. Empty means the default of the Publisher.
	Scheme string
	// Secrets are those that requests are signed with, oldest first.
	Secrets []Secret
	// Header is added to its requests.
	Header http.Header
	// Rate is the largest number of requests in a second. Zero means no limit.
	Rate float64
	// Lanes is the largest number of requests at a time. Zero means the default of the
	// Publisher.
	Lanes int
	// Ordered means that a younger event waits for the retries of an older one in its lane.
	Ordered bool
	// MaxAttempts is how often an event is tried. Zero means the schedule of the Publisher.
	MaxAttempts int
	// InsecureSkipVerify means that the certificate of the server is not verified.
	InsecureSkipVerify bool
	// Meta is whatever the program wants to keep with it.
	Meta map[string]string

	State   State     // kept by the Publisher, as the fields below
	Reason  string    // of the State; cut to 4 KiB
	Since   time.Time // when the State began, or when Resume was called since
	Created time.Time // never changes
	// FailingSince is when the first of the failures began that no success has followed. It
	// is zero if the endpoint is not failing. [Store.Record] sets and clears it.
	FailingSince time.Time

	Seq  int64   // order of creation; set by the Store
	Last Attempt // the last that was recorded, zero if there is none; set by the Store
}

// A State says what becomes of the events for an endpoint.
type State string

// The states of an [Endpoint].
const (
	Active   State = "active"   // events are sent
	Paused   State = "paused"   // events wait, until it is active again
	Disabled State = "disabled" // events are not recorded for it
)

// A Secret is a secret of an endpoint, with the time at which it ends. It is printed as
// REDACTED.
type Secret struct {
	webhook.Secret
	Until time.Time // from then on it is not used; zero means without an end
}

// Clone returns a copy of e that shares no memory with it.
func (e *Endpoint) Clone() *Endpoint {
	c := *e
	c.Events = slices.Clone(e.Events)
	c.Secrets = slices.Clone(e.Secrets)
	c.Header = e.Header.Clone()
	c.Meta = maps.Clone(e.Meta)
	return &c
}
