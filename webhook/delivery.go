package webhook

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// A Delivery is one authentic webhook call: who sent it, what it is about, and
// the exact bytes. Handlers share it: treat every field as read-only.
type Delivery struct {
	// UID is minted when the call is accepted and names the stored row. It sorts
	// by time of arrival to the millisecond.
	UID string
	// Source is the [Source.Name] it came through, such as "github".
	Source string
	// ID is the sender's own id of the delivery, empty where it sends none.
	ID string
	// Type is what happened, such as "github.push". The [Mux] routes by it. It is
	// "<source>.unknown" where the sender's name for it cannot be told.
	Type string
	// OrderingKey is what the delivery is about: repository and ref, image and tag,
	// project, site. Order and coalescing are per (Source, OrderingKey), over all
	// types: a Source gives types that are handled apart keys of their own. Empty:
	// unordered.
	OrderingKey string
	// DedupKeys make a second delivery of this Source that has one of them a
	// duplicate. Empty: never a duplicate.
	DedupKeys []string
	// Coalesce lets only the newest of a burst on this ordering key run. Zero: off.
	Coalesce Coalesce
	// Header is as received, less Authorization, Proxy-Authorization, Cookie and
	// whatever carried a token.
	Header http.Header
	// Body is exactly the bytes received. Never modify it.
	Body []byte
	// KeyLabel tells which of several live secrets matched. It is not part of a
	// dedup key.
	KeyLabel string
	// ReceivedAt is when the body had been read, by this machine's clock.
	ReceivedAt time.Time
}

// Coalesce holds a delivery back until its ordering key has been quiet, so that
// a burst runs once, with the newest. Each new delivery of the ordering key
// supersedes the older ones that no worker has claimed and starts Quiet again;
// Max after the first of the burst it becomes due in any case. The zero value
// is off.
type Coalesce struct {
	Quiet time.Duration
	Max   time.Duration // Zero means no bound beyond Quiet.
}

// Document returns the JSON document: Body, or where Content-Type is
// application/x-www-form-urlencoded the value of its one field "payload".
// A form without that field, with two of it, or badly encoded is
// [ErrMalformed]: one with fields of its own is read from Body with url.ParseQuery.
// A body that begins with { or [ is JSON whatever the header
// says, since no form can. The result may share memory with Body.
func (d *Delivery) Document() ([]byte, error) {
	if !isForm(d.Header) || looksLikeJSON(d.Body) {
		return d.Body, nil
	}
	doc, err := formPayload(d.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", d.Source, ErrMalformed, err)
	}
	return doc, nil
}

// NewDelivery returns a delivery of the program's own, to be put into an inbox:
// work that follows from another delivery, or that comes by another way than a
// call. Its UID is minted, ReceivedAt is now, and names are clamped as those of
// calls are. It keeps body and does not copy it.
//
// What may be put twice, since its cause may be handled twice, needs a UID that
// follows from the cause: Put refuses the second one as a duplicate.
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

// LogValue is what a Delivery looks like in a log: names and size, never body
// or headers.
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

// withDelivery is the context in which the next http.Handler finds d.
func withDelivery(ctx context.Context, d *Delivery) context.Context {
	return context.WithValue(ctx, deliveryKey{}, d)
}

// newUID returns 32 hexadecimal digits: 12 of the time in milliseconds, then
// 80 random bits.
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
