package webhook

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"slices"
	"time"
)

// A Delivery is one authentic webhook request: who sent it, what it is about, and its
// exact bytes. Handlers share it, so all fields must be treated as read-only.
type Delivery struct {
	// UID identifies the stored delivery. It is generated when the request is accepted.
	// UIDs sort by time of arrival, to the millisecond.
	UID string
	// Source is the [Source.Name] of its Source, such as "github".
	Source string
	// ID is the sender's ID of the delivery, empty if the sender sends none.
	ID string
	// Type is what happened, such as "github.push". The [Mux] routes by it. It is
	// "<source>.unknown" if the type is missing or unknown.
	Type string
	// OrderingKey is what the delivery is about, such as a repository and ref, an image
	// and tag, a project, or a site. Deliveries with equal (Source, OrderingKey) run in
	// order, whatever their types. So types that are handled independently need different
	// ordering keys. If empty, the delivery is unordered.
	OrderingKey string
	// DedupKeys identify duplicates: a delivery is a duplicate if another one of its
	// Source has one of its DedupKeys. If empty, it is never a duplicate.
	DedupKeys []string
	// Coalesce lets only the newest delivery of a burst run: those of its Source, ordering
	// key and type. Zero means off.
	Coalesce Coalesce
	// NotBefore is the time before which an inbox lets no Worker claim the delivery. Zero
	// means none. A Handler that runs inside the request ignores it.
	//
	//   - The ordering key waits too: younger deliveries of it run after this one.
	//   - With Coalesce, the delivery is due at the later of the two times. Meanwhile a newer
	//     delivery of its burst supersedes it.
	//   - It holds for the first run. Release, a replay, and a redelivery that makes a dead
	//     delivery run again do not regard it.
	//   - The clock is that of the inbox, rounded up to microseconds: on PostgreSQL the
	//     server's, otherwise that of the process that claims. If the clock of the program that sets
	//     NotBefore is ahead of that one, the delivery runs as much later, if it is behind,
	//     as much earlier.
	//   - Put refuses a time before 1970, and one after the year 294246.
	NotBefore time.Time
	// Header is the request's header without Authorization, Proxy-Authorization, Cookie
	// and the headers that contained a token. While a Handler runs inside the request it
	// may be the map of the request: a Handler that keeps the delivery longer must clone
	// it. An Inbox does.
	Header http.Header
	// Body has exactly the bytes received. It must not be modified.
	Body []byte
	// KeyLabel is the label of the [Key] that matched. It is not part of a dedup key.
	KeyLabel string
	// ReceivedAt is when the body had been read, by this machine's clock.
	ReceivedAt time.Time
	// Malformed is why the body does not have the sender's documented format, the text of
	// [Description.Malformed] in at most 4 KiB. It is empty if the format is right or is not
	// known. [Decode] and the callbacks of [On] refuse such a delivery as [ErrMalformed]. A
	// Handler of [Mux.Route] gets it.
	Malformed string
	// Unsigned is why the delivery is not proven by a signature, such as "read from GitHub's
	// API", in at most 4 KiB. It is empty if a Verifier has accepted the request, and for work
	// of the program's own. If it is not empty, see [Source.OpenUnsigned].
	Unsigned string
}

// NewDelivery returns a delivery that the program puts into an inbox itself: work that
// follows from another delivery, or that does not come from a webhook request. Its UID is
// generated, ReceivedAt is now, and long names are shortened as those of requests are.
// The delivery keeps body without copying it.
//
// For work at a later time, set NotBefore; the example shows it. The delivery has no Header.
// If it follows from another delivery, set Header to the
// [Delivery.TraceHeader] of that one, so that both belong to one trace.
//
// If the cause of the delivery may be handled twice, derive UID from the cause: then Put
// refuses the second delivery as a duplicate.
func NewDelivery(source, typ, orderingKey string, body []byte) *Delivery {
	now := time.Now()
	return &Delivery{
		UID:         newUID(now),
		Source:      clamp(source),
		Type:        clamp(typ),
		OrderingKey: clamp(orderingKey),
		Body:        body,
		ReceivedAt:  now,
	}
}

// TraceHeader returns a new header with the Traceparent and Tracestate of the request,
// as the caller sent them, or an empty one. They are stored with the delivery, so that
// a retry, a replay and a process after a restart have them too. A callback copies them
// into its own requests, so that these belong to the caller's trace:
//
//	maps.Copy(request.Header, e.TraceHeader())
//
// No signature covers them: do not trust what they say. A Baggage header is in
// [Delivery.Header] and not in the result, since a caller from outside should not
// decide what the program's own services get. See https://www.w3.org/TR/trace-context/.
// Module webhook/otel makes spans of them.
func (d *Delivery) TraceHeader() http.Header {
	h := make(http.Header)
	for _, name := range []string{"Traceparent", "Tracestate"} {
		if values := d.Header[name]; len(values) > 0 {
			h[name] = slices.Clone(values)
		}
	}
	return h
}

// LogValue returns the names and the size of the delivery. Its body and headers are never
// logged.
func (d *Delivery) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("uid", d.UID),
		slog.String("source", d.Source),
		slog.String("type", d.Type),
		slog.String("id", d.ID),
		slog.String("ordering_key", d.OrderingKey),
		slog.Int("size", len(d.Body)),
	)
}

type deliveryKey struct{}

// DeliveryFromContext returns the Delivery that [Source.Middleware] verified
// for this request.
func DeliveryFromContext(ctx context.Context) (*Delivery, bool) {
	d, ok := ctx.Value(deliveryKey{}).(*Delivery)
	return d, ok
}

// withDelivery returns a context from which DeliveryFromContext returns d.
func withDelivery(ctx context.Context, d *Delivery) context.Context {
	return context.WithValue(ctx, deliveryKey{}, d)
}

// newUID returns 32 hexadecimal digits: 12 digits of the time in milliseconds, then 20
// digits of random bits.
func newUID(now time.Time) string {
	var raw [16]byte
	ms := now.UnixMilli()
	for i := range 6 {
		raw[i] = byte(ms >> (40 - 8*i))
	}
	rand.Read(raw[6:]) // never fails
	var text [32]byte
	hex.Encode(text[:], raw[:])
	return string(text[:])
}
