package inboxtest

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// storing are the laws of what Put stores and Claim returns.
var storing = []law{
	{"a delivery is returned with every field unchanged", func(t *trial) {
		d := fullDelivery()
		t.store(d)
		t.same(t.claim().Delivery, fullDelivery())
	}},
	{"a delivery with only UID, Source and Type is returned with only these", func(t *trial) {
		d := &webhook.Delivery{UID: "bare", Source: someSource, Type: someType}
		t.store(d)
		t.same(t.claim().Delivery, &webhook.Delivery{UID: "bare", Source: someSource, Type: someType})
	}},
	{"a large body is returned unchanged", func(t *trial) {
		d := t.delivery("")
		d.Body = largeBody()
		t.store(d)
		if got := t.claim().Delivery.Body; !bytes.Equal(got, d.Body) {
			t.Errorf("the claim has another body: it has %d bytes, want %d", len(got), len(d.Body))
		}
	}},
	{"Put refuses an empty UID", func(t *trial) {
		d := t.delivery("")
		d.UID = ""
		if err := t.in.Put(t.Context(), d); err == nil {
			t.Errorf("Put returned no error")
		}
		t.requireNoClaim("its UID is empty")
	}},
	{"Put does not change the delivery", func(t *trial) {
		d := fullDelivery()
		t.store(d)
		t.same(d, fullDelivery())
	}},
}

// fullDelivery returns a delivery with every field set, and with bytes that a text
// column refuses.
func fullDelivery() *webhook.Delivery {
	return &webhook.Delivery{
		UID:         "0123456789abcdef0123456789abcdef",
		Source:      "alpha",
		ID:          "id-\u00fc\u4e16",
		Type:        "alpha.pushed",
		OrderingKey: "owner/name refs/heads/\u00e4",
		DedupKeys:   []string{"id:1", "mac:00ff"},
		Coalesce:    webhook.Coalesce{Quiet: 2 * time.Millisecond, Max: 3 * time.Second},
		NotBefore:   time.Date(1999, 12, 31, 23, 59, 59, 123456000, time.UTC),
		Header: http.Header{
			"Content-Type": {"application/json"},
			"X-Many":       {"one", "two", "", "one"},
			"X-Raw":        {"nul \x00, not utf-8 \xff\xfe, quotes \"'\\, line\tend"},
		},
		Body:       []byte("{\"nul\":\"\x00\",\"raw\":\"\xff\xc0\",\"crlf\":\"\r\n\",\"html\":\"<&>\u2028\"} \n"),
		KeyLabel:   "2026-01",
		ReceivedAt: time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC),
		Malformed:  "\"ref\" is \u00e4, <not> a\ttext",
		Unsigned:   "read from \"\u00e4\"",
	}
}

// same requires that every field is equal: times to the microsecond, and dedup keys
// in any order.
func (t *trial) same(got, want *webhook.Delivery) {
	t.Helper()
	differs := func(field string, got, want any) {
		t.Helper()
		t.Errorf("%s is %q, want %q", field, got, want)
	}
	for _, f := range []struct{ name, got, want string }{
		{"UID", got.UID, want.UID},
		{"Source", got.Source, want.Source},
		{"ID", got.ID, want.ID},
		{"Type", got.Type, want.Type},
		{"OrderingKey", got.OrderingKey, want.OrderingKey},
		{"KeyLabel", got.KeyLabel, want.KeyLabel},
		{"Body", string(got.Body), string(want.Body)},
		{"Malformed", got.Malformed, want.Malformed},
		{"Unsigned", got.Unsigned, want.Unsigned},
		{"Coalesce.Quiet", got.Coalesce.Quiet.String(), want.Coalesce.Quiet.String()},
		{"Coalesce.Max", got.Coalesce.Max.String(), want.Coalesce.Max.String()},
	} {
		if f.got != f.want {
			differs(f.name, f.got, f.want)
		}
	}
	if !maps.EqualFunc(got.Header, want.Header, slices.Equal[[]string]) {
		differs("Header", got.Header, want.Header)
	}
	if !slices.Equal(slices.Sorted(slices.Values(got.DedupKeys)), slices.Sorted(slices.Values(want.DedupKeys))) {
		differs("DedupKeys", got.DedupKeys, want.DedupKeys)
	}
	if !got.NotBefore.Truncate(time.Microsecond).Equal(want.NotBefore.Truncate(time.Microsecond)) {
		differs("NotBefore", got.NotBefore.String(), want.NotBefore.String())
	}
	if !got.ReceivedAt.Truncate(time.Microsecond).Equal(want.ReceivedAt.Truncate(time.Microsecond)) {
		differs("ReceivedAt", got.ReceivedAt.String(), want.ReceivedAt.String())
	}
}
