package dbtest

import (
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

func TestHeadersAndBodiesKeepAnyBytes(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		d := delivery("key \u2028 \"quoted\"", "mark", "mark")
		d.Header = http.Header{
			"Plain":      {"one", "two", ""},
			"Nul":        {"a\x00b"},
			"Not-Utf-8":  {"caf\xe9", "fine"},
			"\xff":       {"name"},
			"Escaped":    {`\u0000 <&>`, "\u2028"},
			"No-Values":  {},
			"Nil-Values": nil,
		}
		d.Body = []byte("\x00\xff\xfe body \x00")
		d.KeyLabel, d.Coalesce = "blue", webhook.Coalesce{Quiet: time.Nanosecond, Max: time.Second}
		d.NotBefore, d.Malformed = time.Unix(7, 1001), strings.Repeat("\u00e4\"<\u2028", 400)
		put(t, in, d)
		var got *webhook.Delivery
		waitFor(t, "the delivery is due", func() bool {
			for _, c := range claim(t, in, 1) {
				got = c.Delivery
			}
			return got != nil
		})
		want := *d
		want.Coalesce.Quiet = time.Microsecond // times are kept in microseconds, rounded up
		want.NotBefore = time.UnixMicro(7_000_002)
		if diff := cmp.Diff(&want, got, cmpopts.IgnoreUnexported(webhook.Delivery{})); diff != "" {
			t.Errorf("delivery changed (-put +claimed):\n%s", diff)
		}
	})
}

func TestADeliveryThatNoColumnCanHoldIsErrInvalid(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		for name, spoil := range map[string]func(d *webhook.Delivery){
			"no UID":                   func(d *webhook.Delivery) { d.UID = "" },
			"a NUL in the OrderingKey": func(d *webhook.Delivery) { d.OrderingKey = "a\x00b" },
			"a Type not UTF-8":         func(d *webhook.Delivery) { d.Type = "\xff" },
			"a long ID":                func(d *webhook.Delivery) { d.ID = strings.Repeat("x", 256) },
			"a long dedup key":         func(d *webhook.Delivery) { d.DedupKeys = []string{"fine", strings.Repeat("x", 256)} },
			"a long Source":            func(d *webhook.Delivery) { d.Source = strings.Repeat("x", 256) },
			"a NUL in KeyLabel":        func(d *webhook.Delivery) { d.KeyLabel = "\x00" },
			"a dedup key with a NUL":   func(d *webhook.Delivery) { d.DedupKeys = []string{"\x00"} },
			"a Malformed with a NUL":   func(d *webhook.Delivery) { d.Malformed = "\x00" },
			"a long Malformed":         func(d *webhook.Delivery) { d.Malformed = strings.Repeat("x", 4<<10+1) },
			"a NotBefore before 1970":  func(d *webhook.Delivery) { d.NotBefore = time.Unix(0, -1) },
			"a NotBefore too late":     func(d *webhook.Delivery) { d.NotBefore = time.UnixMicro(math.MaxInt64).Add(1) },
			"a body of 257 MiB ":       func(d *webhook.Delivery) { d.Body = make([]byte, 257<<20) },
		} {
			d := delivery("", "dedup key "+name)
			spoil(d)
			if err := in.Put(t.Context(), d); !errors.Is(err, sqlinbox.ErrInvalid) {
				t.Errorf("%s: Put returned %v, want ErrInvalid", name, err)
			}
		}
		for _, table := range []string{"hookhouse_deliveries", "hookhouse_bodies", "hookhouse_dedup_keys"} {
			if n := count(t, db, table); n != 0 {
				t.Errorf("%s has %d rows, want none", table, n)
			}
		}
		put(t, in, delivery(strings.Repeat("k", 255), strings.Repeat("m", 255)))
	})
}
