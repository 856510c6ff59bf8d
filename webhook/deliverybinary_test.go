package webhook_test

import (
	"bytes"
	"errors"
	"math"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hookhouse/hookhouse/webhook"
)

// encodable returns a delivery with every field set, and with headers that are not text.
func encodable() *webhook.Delivery {
	return &webhook.Delivery{
		UID:         "019a0000000000000000000000000001",
		Source:      "alpha",
		ID:          "id-\u00fc\u4e16",
		Type:        "alpha.pushed",
		OrderingKey: "owner/name <refs> & \"heads\"/\\\u2028",
		DedupKeys:   []string{"id:1", "mac:00ff", "id:1", ""},
		Coalesce:    webhook.Coalesce{Quiet: 2500 * time.Microsecond, Max: time.Hour},
		NotBefore:   time.UnixMicro(1767323045678901),
		Header: http.Header{
			"Content-Type": {"application/json"},
			"Empty":        {},
			"Traceparent":  {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
			"X-Many":       {"one", "two", "", "one"},
			"X-Nul":        {"\x00"},
			"X-Raw":        {"text", "\xff\xfe\r\n"},
			"X-\xff":       {},
		},
		Body:       []byte("{\"version\":2}\n\x00\xff\n"),
		KeyLabel:   "2026-01",
		ReceivedAt: time.UnixMicro(1767323045678902),
		Malformed:  "\"ref\" is \u00e4, <not> a\ttext",
		Unsigned:   "read from \"\u00e4\"",
	}
}

// encodedV1 is what encodable has been encoded as since version 1. It must not change:
// queues contain it.
const encodedV1 = `{"version":1,"uid":"019a0000000000000000000000000001","source":"alpha","type":"alpha.pushed","id":"id-ü世",` +
	`"ordering_key":"owner/name <refs> & \"heads\"/\\\u2028","dedup_keys":["id:1","mac:00ff","id:1",""],` +
	`"coalesce_quiet_us":2500,"coalesce_max_us":3600000000,"not_before_us":1767323045678901,"received_at_us":1767323045678902,` +
	`"key_label":"2026-01","malformed":"\"ref\" is ä, <not> a\ttext","unsigned":"read from \"ä\"",` +
	`"header":{"Content-Type":["application/json"],"Empty":[],"Traceparent":["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],` +
	`"X-Many":["one","two","","one"]},"header_base64":[["WC1OdWw=","AA=="],["WC1SYXc=","dGV4dA==","//4NCg=="],["WC3/"]],"body_size":17}` +
	"\n{\"version\":2}\n\x00\xff\n"

// sameDelivery is equality to the microsecond: nil and empty are the same.
var sameDelivery = cmp.Options{cmpopts.EquateEmpty()}

func encode(t testing.TB, d *webhook.Delivery) []byte {
	t.Helper()
	b, err := d.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestADeliveryIsEncodedAsVersion1(t *testing.T) {
	d := encodable()
	if got := string(encode(t, d)); got != encodedV1 {
		t.Errorf("encoded as\n%q, want\n%q", got, encodedV1)
	}
	if diff := cmp.Diff(encodable(), d); diff != "" {
		t.Errorf("MarshalBinary has changed the delivery:\n%s", diff)
	}
	bare := `{"version":1,"uid":"u","source":"","type":"","body_size":0}` + "\n"
	if got := string(encode(t, &webhook.Delivery{UID: "u"})); got != bare {
		t.Errorf("encoded as %q, want %q", got, bare)
	}
}

func TestADeliveryOfVersion1IsDecoded(t *testing.T) {
	b := []byte(encodedV1)
	got := webhook.Delivery{UID: "other", Header: http.Header{"X-Other": {"1"}}}
	if err := got.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	clear(b) // the caller may use it again
	if diff := cmp.Diff(encodable(), &got, sameDelivery); diff != "" {
		t.Error(diff)
	}
	if err := got.UnmarshalBinary(encode(t, &webhook.Delivery{UID: "u"})); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&webhook.Delivery{UID: "u"}, &got, sameDelivery); diff != "" {
		t.Error(diff)
	}
}

func TestTimesAndDurationsAreEncodedToTheMicrosecond(t *testing.T) {
	for _, test := range []struct {
		in, out webhook.Delivery
	}{
		{webhook.Delivery{NotBefore: time.Unix(7, 1)}, webhook.Delivery{NotBefore: time.Unix(7, 1000)}},
		{webhook.Delivery{NotBefore: time.UnixMicro(math.MaxInt64)}, webhook.Delivery{NotBefore: time.UnixMicro(math.MaxInt64)}},
		{webhook.Delivery{ReceivedAt: time.Unix(7, 1999)}, webhook.Delivery{ReceivedAt: time.Unix(7, 1000)}},
		{webhook.Delivery{ReceivedAt: time.Unix(0, 0)}, webhook.Delivery{ReceivedAt: time.Unix(0, 0)}},
		{webhook.Delivery{ReceivedAt: time.Unix(-1, 0).UTC()}, webhook.Delivery{ReceivedAt: time.Unix(-1, 0)}},
		{webhook.Delivery{ReceivedAt: time.UnixMicro(math.MinInt64)}, webhook.Delivery{ReceivedAt: time.UnixMicro(math.MinInt64)}},
		{webhook.Delivery{Coalesce: webhook.NewestOnly()}, webhook.Delivery{Coalesce: webhook.NewestOnly()}},
		{webhook.Delivery{Coalesce: webhook.Coalesce{Quiet: 1, Max: 1001}}, webhook.Delivery{Coalesce: webhook.Coalesce{Quiet: time.Microsecond, Max: 2 * time.Microsecond}}},
		{webhook.Delivery{Coalesce: webhook.Coalesce{Quiet: -1, Max: math.MaxInt64}}, webhook.Delivery{Coalesce: webhook.Coalesce{Max: math.MaxInt64}}},
	} {
		test.in.UID, test.out.UID = "u", "u"
		var got webhook.Delivery
		if err := got.UnmarshalBinary(encode(t, &test.in)); err != nil {
			t.Errorf("%+v: %v", test.in, err)
		}
		if diff := cmp.Diff(&test.out, &got, sameDelivery); diff != "" {
			t.Errorf("%+v:\n%s", test.in, diff)
		}
	}
}

func TestWhatNoDatabaseStoresIsNotEncoded(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, test := range []struct {
		change func(d *webhook.Delivery)
		says   string
	}{
		{func(d *webhook.Delivery) { d.UID = "" }, "it has no UID"},
		{func(d *webhook.Delivery) { d.UID = "a\x00" }, "UID is not UTF-8 without NUL"},
		{func(d *webhook.Delivery) { d.Source = long }, "Source of 256 bytes, over 255"},
		{func(d *webhook.Delivery) { d.ID = "\xff" }, "ID is not UTF-8 without NUL"},
		{func(d *webhook.Delivery) { d.Type = long }, "Type of 256 bytes, over 255"},
		{func(d *webhook.Delivery) { d.OrderingKey = "\xff" }, "OrderingKey is not UTF-8 without NUL"},
		{func(d *webhook.Delivery) { d.KeyLabel = long }, "KeyLabel of 256 bytes, over 255"},
		{func(d *webhook.Delivery) { d.DedupKeys = []string{"a", "\xff"} }, "dedup key is not UTF-8 without NUL"},
		{func(d *webhook.Delivery) { d.Malformed = strings.Repeat("x", 4097) }, "Malformed of 4097 bytes, over 4096"},
		{func(d *webhook.Delivery) { d.Unsigned = "\x00" }, "Unsigned is not UTF-8 without NUL"},
		{func(d *webhook.Delivery) { d.NotBefore = time.Unix(-1, 0) }, "is before 1970"},
		{func(d *webhook.Delivery) { d.ReceivedAt = time.Unix(1<<60, 0) }, "the year of ReceivedAt"},
		{func(d *webhook.Delivery) { d.Header.Set("X-Large", strings.Repeat("x", 4<<20)) }, "as JSON, over 4194304"},
	} {
		d := encodable()
		test.change(d)
		b, err := d.MarshalBinary()
		if !errors.Is(err, webhook.ErrMalformed) || !webhook.IsPermanent(err) || !strings.Contains(err.Error(), test.says) || b != nil {
			t.Errorf("got %d bytes and %v, want an error that says %q", len(b), err, test.says)
		}
	}
}

func TestTheHeadersOfALargeRequestAreEncoded(t *testing.T) {
	d := &webhook.Delivery{UID: "u", Header: make(http.Header)}
	digits := "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for size := 0; size < 1<<20; size += len("abc:\xff\r\n") { // the least that a header takes in HTTP/1.1
		n := len(d.Header)
		name := []byte{digits[n%len(digits)], digits[n/len(digits)%len(digits)], digits[n/len(digits)/len(digits)]}
		d.Header[string(name)] = []string{"\xff"}
	}
	var got webhook.Delivery
	if err := got.UnmarshalBinary(encode(t, d)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, &got, sameDelivery); diff != "" {
		t.Error(diff)
	}
}

func TestDecodingAllocatesAMultipleOfTheLine(t *testing.T) {
	const room = 4<<20 - 100
	for _, hostile := range []string{
		`{"version":1,"uid":"u","dedup_keys":[` + strings.Repeat(`"",`, room/3) + `""]}`,
		`{"version":1,"uid":"u","header":{"a":[` + strings.Repeat(`"",`, room/3) + `""]}}`,
		`{"version":1,"uid":"u","header_base64":[` + strings.Repeat(`[],`, room/3) + `[]]}`,
		`{"version":1,"uid":"u","header_base64":[[` + strings.Repeat(`"",`, room/3) + `""]]}`,
		`{"version":1,"body_size":9223372036854775807,"uid":"u"}`,
		strings.Repeat(`[`, room),
	} {
		b := []byte(hostile + "\n")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := new(webhook.Delivery).UnmarshalBinary(b)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, webhook.ErrMalformed) {
			t.Errorf("%.60s: %v", b, err)
		}
		if got, most := after.TotalAlloc-before.TotalAlloc, uint64(len(b))*64+1<<20; got > most {
			t.Errorf("%.60s: %d bytes were allocated for %d", b, got, len(b))
		}
	}
	b := bytes.Repeat([]byte("x"), 64<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := new(webhook.Delivery).UnmarshalBinary(b)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; !errors.Is(err, webhook.ErrMalformed) || got > 1<<20 {
		t.Errorf("a foreign message of 64 MiB: %d bytes were allocated, %v", got, err)
	}
}
