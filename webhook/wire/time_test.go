package wire_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// A record has a field of each type, as a payload has.
type record struct {
	At    wire.Time             `json:"at,omitzero"`
	Count wire.Int              `json:"count,omitzero"`
	Name  wire.Optional[string] `json:"name,omitzero"`
}

func unmarshal(t testing.TB, doc string) record {
	t.Helper()
	var r record
	if err := json.Unmarshal([]byte(doc), &r); err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	return r
}

func marshal(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTimeDecodesEveryFormAndEncodesItAgain(t *testing.T) {
	utc := func(sec, nsec int64) time.Time { return time.Unix(sec, nsec).UTC() }
	for _, tc := range []struct {
		name, token, text string
		want              time.Time
		valid             bool
	}{
		{"seconds", `1417566161`, "1417566161", utc(1417566161, 0), true},
		{"seconds with an exponent", `1.417566161e+09`, "1.417566161e+09", utc(1417566161, 0), true},
		{"seconds with a fraction", `1417566161.123456789`, "1417566161.123456789", utc(1417566161, 123456789), true},
		{"a fraction that a float64 cannot represent", `253402300798.999999999`, "253402300798.999999999", utc(253402300798, 999999999), true},
		{"a fraction finer than nanoseconds", `1.0000000019`, "1.0000000019", utc(1, 1), true},
		{"seconds before 1970", `-1.5`, "-1.5", utc(-2, 500000000), true},
		{"0", `0`, "0", utc(0, 0), true},
		{"-0.0", `-0.0`, "-0.0", utc(0, 0), true},
		{"almost 0", `1e-999999`, "1e-999999", utc(0, 0), true},
		{"year 1 in seconds", `-62135596800`, "-62135596800", time.Time{}, true},
		{"the last second of 9999", `253402300799`, "253402300799", utc(253402300799, 0), true},
		{"milliseconds, which are out of range", `1417566161000`, "1417566161000", time.Time{}, false},
		{"a number that is too large", `1e999999999`, "1e999999999", time.Time{}, false},
		{"a number of many digits", strings.Repeat("1", 5000), strings.Repeat("1", 5000), time.Time{}, false},
		{"a fraction of many digits", `1.` + strings.Repeat("1", 5000), `1.` + strings.Repeat("1", 5000), time.Time{}, false},
		{"RFC 3339", `"2015-06-11T10:39:07Z"`, "2015-06-11T10:39:07Z", utc(1434019147, 0), true},
		{"RFC 3339 with an offset", `"2015-06-11T16:09:07+05:30"`, "2015-06-11T16:09:07+05:30", utc(1434019147, 0), true},
		{"an escaped plus sign", `"2015-06-11T16:09:07\u002B05:30"`, "2015-06-11T16:09:07+05:30", utc(1434019147, 0), true},
		{"one digit of fraction", `"2015-06-11T10:39:07.5Z"`, "2015-06-11T10:39:07.5Z", utc(1434019147, 500000000), true},
		{"seven digits of fraction", `"2015-06-11T10:39:07.5550941Z"`, "2015-06-11T10:39:07.5550941Z", utc(1434019147, 555094100), true},
		{"nine digits of fraction", `"2015-06-11T10:39:07.123456789Z"`, "2015-06-11T10:39:07.123456789Z", utc(1434019147, 123456789), true},
		{"no zone", `"2015-06-11T10:39:07"`, "2015-06-11T10:39:07", utc(1434019147, 0), true},
		{"no zone, with a fraction", `"2015-06-11T10:39:07.25"`, "2015-06-11T10:39:07.25", utc(1434019147, 250000000), true},
		{"year 1 without a zone", `"0001-01-01T00:00:00"`, "0001-01-01T00:00:00", time.Time{}, true},
		{"year 1", `"0001-01-01T00:00:00Z"`, "0001-01-01T00:00:00Z", time.Time{}, true},
		{"another format", `"2016-11-29 12:25:46"`, "2016-11-29 12:25:46", time.Time{}, false},
		{"no such day", `"2015-02-30T00:00:00Z"`, "2015-02-30T00:00:00Z", time.Time{}, false},
		{"empty text", `""`, "", time.Time{}, false},
		{"quoted seconds", `"1417566161"`, "1417566161", time.Time{}, false},
		{"null", `null`, "", time.Time{}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			doc := `{"at":` + tc.token + `}`
			r := unmarshal(t, doc)
			if !r.At.Equal(tc.want) || r.At.Valid() != tc.valid {
				t.Errorf("got %v, valid %v, want %v, %v", r.At.Time, r.At.Valid(), tc.want, tc.valid)
			}
			if r.At.IsZero() {
				t.Error("reported as absent")
			}
			if got := r.At.Text(); got != tc.text {
				t.Errorf("text %q, want %q", got, tc.text)
			}
			if got := marshal(t, r); got != doc {
				t.Errorf("encoded as %s, decoded from %s", got, doc)
			}
		})
	}
}

func TestTimeKeepsTheOffset(t *testing.T) {
	at := unmarshal(t, `{"at":"2015-06-11T16:09:07+05:30"}`).At
	if _, offset := at.Zone(); offset != 19800 {
		t.Errorf("offset %d s, want 19800", offset)
	}
}

func TestTimeReturnsAnErrorForOtherTokens(t *testing.T) {
	for _, token := range []string{`true`, `false`, `{}`, `[]`, `[1]`, `"`, ``, `1 2`, `-`, `nul`} {
		at := wire.Unix(7)
		if err := at.UnmarshalJSON([]byte(token)); err == nil || at.Unix() != 7 {
			t.Errorf("%s: got %v and %v, want an error and no change", token, err, at)
		}
	}
}

func TestUnixAndAtAreEncodedAndDecodedAgain(t *testing.T) {
	moment := time.Date(2026, 3, 4, 5, 6, 7, 120000000, time.FixedZone("", 3600))
	for _, tc := range []struct {
		name string
		at   wire.Time
		want string
	}{
		{"Unix", wire.Unix(1417566161), `{"at":1417566161}`},
		{"Unix 0", wire.Unix(0), `{"at":0}`},
		{"At", wire.At(moment), `{"at":"2026-03-04T05:06:07.12+01:00"}`},
		{"At of the zero time", wire.At(time.Time{}), `{"at":"0001-01-01T00:00:00Z"}`},
		{"a literal", wire.Time{Time: moment}, `{"at":"2026-03-04T05:06:07.12+01:00"}`},
		{"the zero value", wire.Time{}, `{}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := marshal(t, record{At: tc.at})
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
			if again := unmarshal(t, got).At; !again.Equal(tc.at.Time) || again.Valid() != tc.at.Valid() {
				t.Errorf("decoded as %v, valid %v", again, again.Valid())
			}
		})
	}
	if got := marshal(t, wire.Time{}); got != "null" {
		t.Errorf("without a struct the zero value is %s, want null", got)
	}
}
