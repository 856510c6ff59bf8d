package webhook_test

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// FuzzUnmarshalDelivery tests that any bytes are either refused as ErrMalformed or are a
// delivery that is encoded again without a loss.
func FuzzUnmarshalDelivery(f *testing.F) {
	for _, seed := range []string{
		"", "\n", "{}\n", "hello\n", encodedV1,
		`{"version":1,"uid":"u","source":"","type":"","body_size":0}` + "\n",
		`{"version":2,"uid":"u","source":"","type":"","body_size":0}` + "\n",
		`{"version": 1, "body_size": 2, "uid": "\u00fc", "header": {"A": null, "a": []}, "received_at_us": -62135596800000000}` + "\n\n\n",
		`{"version":1,"uid":"\ud800","header_base64":[["/w==",""],["QQ=="],[null,null]],"dedup_keys":[null],"body_size":0}` + "\n",
		`{"VERSION":1,"uid":"u","uid":"v","header":{"A":["1"]},"header":{"A":["2"]},"coalesce_max_us":9223372036854776,"body_size":0}` + "\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		given := bytes.Clone(b)
		var d, again webhook.Delivery
		err := d.UnmarshalBinary(b)
		if !bytes.Equal(b, given) {
			t.Fatal("UnmarshalBinary has changed its argument")
		}
		if err != nil {
			if !errors.Is(err, webhook.ErrMalformed) {
				t.Fatalf("an error that is not ErrMalformed: %v", err)
			}
			return
		}
		if err := again.UnmarshalBinary(encode(t, &d)); err != nil {
			t.Fatalf("encoded again it is refused: %v", err)
		}
		if diff := cmp.Diff(&d, &again, sameDelivery); diff != "" {
			t.Fatalf("encoded again it is another one:\n%s", diff)
		}
	})
}

// FuzzMarshalDelivery tests that each delivery that is encoded is decoded with all fields,
// and encoded as the same bytes again.
func FuzzMarshalDelivery(f *testing.F) {
	f.Add("u", "", "", "", int64(0), int64(0), int64(0), "", "", "", "", []byte(nil))
	f.Add("0123", "alpha", "alpha.pushed", "owner/name", int64(1), int64(-1), int64(1), "X-Raw", "\xff\x00", "why", "id:1", []byte("{}\n"))
	f.Add("\u2028<&>", "\u00e4", "\U0001f600", "\"\\", int64(1)<<62, int64(1)<<62, int64(1)<<62, "\xff", "\r\n", "\t", "", []byte("\x00\xff"))
	f.Add("u\x00", "\xff", "t", "k", int64(-1)<<63, int64(-1)<<63, int64(-1)<<63, "", "", "", "", []byte("\n"))
	f.Fuzz(func(t *testing.T, uid, source, typ, key string, quiet, notBefore, receivedAt int64, name, value, why, dedupKey string, body []byte) {
		d := &webhook.Delivery{
			UID: uid, Source: source, ID: why, Type: typ, OrderingKey: key, DedupKeys: []string{dedupKey, key},
			Coalesce:  webhook.Coalesce{Quiet: time.Duration(quiet), Max: time.Duration(notBefore)},
			NotBefore: time.UnixMicro(notBefore), ReceivedAt: time.UnixMicro(receivedAt),
			Header: http.Header{name: {value, name, ""}, value: nil, "X-" + name: {value}},
			Body:   body, KeyLabel: typ, Malformed: why, Unsigned: source,
		}
		b, err := d.MarshalBinary()
		if err != nil {
			if !errors.Is(err, webhook.ErrMalformed) || b != nil {
				t.Fatalf("%d bytes and %v", len(b), err)
			}
			return
		}
		var got webhook.Delivery
		if err := got.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		if again := encode(t, &got); !bytes.Equal(again, b) {
			t.Fatalf("encoded as\n%q, then as\n%q", b, again)
		}
		want := *d
		want.Coalesce = webhook.Coalesce{Quiet: microseconds(d.Coalesce.Quiet), Max: microseconds(d.Coalesce.Max)}
		if notBefore == 0 {
			want.NotBefore = time.Time{} // 1970 begins: due at once, as without one
		}
		if diff := cmp.Diff(&want, &got, sameDelivery); diff != "" {
			t.Fatal(diff)
		}
		if !slices.Equal(got.Body, body) {
			t.Fatalf("the body is %q, want %q", got.Body, body)
		}
	})
}

// microseconds rounds up.
func microseconds(d time.Duration) time.Duration {
	rounded := d.Truncate(time.Microsecond)
	switch {
	case d <= 0:
		return 0
	case rounded == d:
		return d
	case rounded+time.Microsecond < 0:
		return 1<<63 - 1
	}
	return rounded + time.Microsecond
}
