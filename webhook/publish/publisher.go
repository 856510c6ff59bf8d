package publish

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/addrguard"
)

// The defaults of a Publisher.
const (
	defaultSource       = "publish"
	defaultTimeout      = 15 * time.Second
	defaultConcurrency  = 64
	defaultLanes        = 4
	defaultDisableAfter = 5 * 24 * time.Hour
	defaultRetention    = 7 * 24 * time.Hour
	defaultMaxPayload   = 1 << 20
	largestPayload      = 32 << 20
	defaultUserAgent    = "Hookhouse"
)

const (
	// storeTimeout bounds one call of the Store or the outbox.
	storeTimeout = 10 * time.Second
	// faultWait is how long a delivery waits after a fault that is not the endpoint's.
	faultWait = 5 * time.Second
	// maxTries is the largest number of attempts of a delivery.
	maxTries = 50
)

// A Publisher sends events to endpoints: signed, with retries over days, and so that no
// endpoint delays another. It is a [webhook.Runner], and a [webhook.Router] for those who run
// Workers of their own. The package comment says how it works.
//
// Set the fields before use. A field that is zero means its default. A Publisher is safe for
// concurrent use and must not be copied.
type Publisher struct {
	// Source is the Source of its deliveries in the outbox, whose types are Source.event and
	// Source.delivery. Publishers that share an outbox and have different Stores need
	// different ones, and no Source of a Receiver may have its name. Empty means "publish".
	Source string
	// EventTypes are the types of the events that there are. If not nil, Publish refuses
	// others, and Create and Update refuse a pattern that matches none. If nil, every type
	// is allowed.
	EventTypes []string
	// Schemes are schemes of the program, by name, beside the built-in ones; see [Scheme].
	Schemes map[string]Scheme
	// Schedule has the waits between attempts, to which up to a fifth is added at random. A
	// delivery is dead when the attempt after the last wait has failed. If nil, it is that of
	// Standard Webhooks: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, which
	// makes ten attempts. At most 49 waits of up to 24 h are allowed. The outbox must keep
	// finished deliveries for longer than all of it can take, or an event is deleted before
	// the last attempt, with its body if the copies for all endpoints would take more than
	// 64 KiB. Run refuses that if the outbox says how long it keeps them. An Endpoint with a
	// larger MaxAttempts, or with a long Retry-After, takes longer still.
	Schedule []time.Duration
	// Timeout is the maximum duration of an attempt, with the connection and the answer.
	// Zero means 15 s.
	Timeout time.Duration
	// Concurrency is the maximum number of requests at once in this process. Half of it is
	// for endpoints that are proven. Zero means 64.
	Concurrency int
	// Lease is how long a process holds what it works on before it must say that it still
	// does. When a process is killed, the events and deliveries that it had under way wait
	// that long. With a shorter one, a process that is stopped for a while, or cannot reach
	// the database, is more likely to lose a delivery to another process, which sends it
	// again. The Workers renew it, so it may be shorter than Timeout. Zero means 30 s.
	Lease time.Duration
	// Lanes is the number of lanes of endpoints that have none of their own, at most 64.
	// Zero means 4.
	Lanes int
	// DisableAfter is for how long an endpoint may fail without a success before it is
	// disabled, at its next failure. In that time, or in the last Retention if that is
	// shorter, at least five attempts must have failed, in at least three of its five equal
	// parts, which are days if nothing else is set. So one that gets an event now and then
	// is not disabled for two failures that are days apart, and one that gets a burst is not
	// either. If DisableAfter is less than 100 minutes, they must have failed in the time since
	// the first failure, or in the last 100 minutes if that is shorter: an endpoint that fails
	// gets one request in ten minutes. Zero means 5 days; if negative, it is never disabled for
	// that.
	DisableAfter time.Duration
	// Retention is how long attempts are kept, and how long events wait for an endpoint that
	// is paused or that has too many requests. The retention of the outbox must be at least as
	// long. Zero means 7 days.
	Retention time.Duration
	// MaxPayload is the maximum size of a payload in bytes, up to 32 MiB. Zero means 1 MiB.
	MaxPayload int64
	// UserAgent is the User-Agent of the requests. Empty means "Hookhouse".
	UserAgent string
	// Guard judges the addresses of endpoints. If nil, it is a zero addrguard.Guard: public
	// addresses over https.
	Guard *addrguard.Guard
	// Transport sends the requests in place of the Publisher's own, which Guard protects.
	// It must not follow redirects, and has to protect the network itself. Names are then not
	// resolved when an endpoint is registered, and Endpoint.InsecureSkipVerify is refused.
	// If nil, the Publisher has its own.
	Transport http.RoundTripper
	// Events is where Run takes events from, such as the consumer of a broker, in place of the
	// outbox. A relay must bring them there; see [Publisher.EventType]. Everything else stays
	// in the outbox: events for their retention, deliveries, retries. If nil, Run takes events
	// from the outbox.
	//
	//   - The Queue need not be able to claim some types only. It must have no other deliveries
	//     than events of this outbox, and must not be the outbox: what is no event ends dead in
	//     the Queue. So does an event that the outbox does not have, because it was deleted or
	//     is of another outbox. What is sent is what the outbox has.
	//   - An event that comes several times is sent once.
	//   - In the outbox an event is done when the Queue has it. So the wait in the Queue is a part
	//     of the retention of the outbox, which should be longer than the Schedule by that, and
	//     of an event that ends dead in the Queue, a replay in the outbox hands it out again.
	//   - While the outbox or the Store cannot be read, events are put back into the Queue, and
	//     tried again 5 s later.
	Events webhook.Queue
	// Observer, if not nil, receives what happens to endpoints.
	Observer *Observer
	// Logger receives faults and what happens to endpoints. If nil, it is slog.Default.
	Logger *slog.Logger

	outbox webhook.Inbox
	admin  webhook.Admin // the outbox, nil if it is none
	store  Store

	endpoints endpointCache
	faults    faultLog
	evidence  evidence
	running   atomic.Bool
	begin     sync.Once // makes the fields below
	bodies    *bodies
	admission *admission
	own       *transports
	workers   [2]*webhook.Worker // for events and for deliveries
}

// New returns a Publisher that stores events and deliveries in outbox, and endpoints and
// attempts in store. It panics if one is nil. Resend, Payload and bodies that are stored once
// need an outbox that is a [webhook.Admin]; [webhook.MemInbox] and the Inbox of package
// sqlinbox are.
func New(outbox webhook.Inbox, store Store) *Publisher {
	if outbox == nil || store == nil {
		panic("publish: New needs an outbox and a store")
	}
	p := &Publisher{outbox: outbox, store: store, endpoints: endpointCache{store: store}}
	p.admin, _ = outbox.(webhook.Admin)
	return p
}

// Types returns the types of the deliveries in the outbox; see [webhook.Router].
func (p *Publisher) Types() []string { return []string{p.deliveryType(), p.EventType()} }

// Handle handles a delivery of the outbox: it stores the deliveries to endpoints that follow
// from an event, or makes an attempt. Run calls it. A Worker of the program can call it too,
// with a Timeout of at least two minutes more than that of the Publisher, with a MaxAttempts
// of more than the Schedule has, and with SuspectsRunTogether.
func (p *Publisher) Handle(ctx context.Context, d *webhook.Delivery) error {
	switch d.Type {
	case p.EventType():
		return p.fanOut(ctx, d)
	case p.deliveryType():
		p.prepare()
		return p.deliver(ctx, d)
	}
	return fmt.Errorf("%w for type %s", webhook.ErrNoHandler, quote(d.Type))
}

// prepare makes what depends on the fields, once.
func (p *Publisher) prepare() {
	p.begin.Do(func() {
		p.bodies = newBodies(p.admin, p.EventType())
		p.admission = newAdmission(p.concurrency(), p.timeout())
		p.own = newTransports(p.guard(), p.timeout(), p.concurrency())
		p.workers = [2]*webhook.Worker{p.eventWorker(), p.deliveryWorker()}
	})
}

func (p *Publisher) source() string       { return cmp.Or(p.Source, defaultSource) }
func (p *Publisher) deliveryType() string { return p.source() + ".delivery" }

func (p *Publisher) logger() *slog.Logger { return cmp.Or(p.Logger, slog.Default()) }

func (p *Publisher) guard() *addrguard.Guard {
	if p.Guard == nil {
		return &addrguard.Guard{}
	}
	return p.Guard
}

func (p *Publisher) schedule() schedule {
	if p.Schedule == nil {
		return slices.Clone(standardSchedule)
	}
	return p.Schedule
}

func (p *Publisher) timeout() time.Duration   { return positive(p.Timeout, defaultTimeout) }
func (p *Publisher) retention() time.Duration { return positive(p.Retention, defaultRetention) }
func (p *Publisher) concurrency() int         { return positive(p.Concurrency, defaultConcurrency) }
func (p *Publisher) maxPayload() int64 {
	return min(positive(p.MaxPayload, defaultMaxPayload), largestPayload)
}
func (p *Publisher) userAgent() string { return cmp.Or(p.UserAgent, defaultUserAgent) }

// disableAfter returns zero if endpoints are never disabled for failing.
func (p *Publisher) disableAfter() time.Duration {
	if p.DisableAfter < 0 {
		return 0
	}
	return positive(p.DisableAfter, defaultDisableAfter)
}

// lanes returns the number of lanes of an endpoint that has registered own.
func (p *Publisher) lanes(own int) int {
	return min(positive(own, positive(p.Lanes, defaultLanes)), maxLanes)
}

// positive returns v, or otherwise if v is not positive.
func positive[N int | int64 | time.Duration](v, otherwise N) N {
	if v > 0 {
		return v
	}
	return otherwise
}
