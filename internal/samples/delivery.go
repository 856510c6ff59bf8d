package samples

import (
	"bytes"
	"net/http"
	"slices"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// Open returns the delivery of a genuine call. The test fails if src refuses it.
func Open(tb testing.TB, src webhook.Source, r *http.Request, body []byte) *webhook.Delivery {
	tb.Helper()
	if err := src.Validate(); err != nil {
		tb.Fatal(err)
	}
	d, err := src.Open(r, body)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// Stored returns a copy of d that shares no memory with it, as an inbox returns it.
func Stored(d *webhook.Delivery) *webhook.Delivery {
	own := *d
	own.DedupKeys, own.Header, own.Body = slices.Clone(d.DedupKeys), d.Header.Clone(), bytes.Clone(d.Body)
	return &own
}
