package wire_test

import (
	"testing"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

func TestIntDecodesEveryFormAndEncodesItAgain(t *testing.T) {
	for _, tc := range []struct {
		name, token string
		want        int64
	}{
		{"a number", `12`, 12},
		{"a negative number", `-12`, -12},
		{"0", `0`, 0},
		{"the largest", `9223372036854775807`, 9223372036854775807},
		{"one more", `9223372036854775808`, 0},
		{"a whole number with a fraction", `12.0`, 12},
		{"a whole number with an exponent", `1.2e1`, 12},
		{"2 to the 53rd with an exponent", `9.007199254740992e15`, 1 << 53},
		{"too large for a float64 to be exact", `9.1e18`, 0},
		{"not an integer", `12.5`, 0},
		{"out of the range of a float64", `1e400`, 0},
		{"quoted", `"12"`, 12},
		{"quoted with an escape", `"1\u0032"`, 12},
		{"quoted with an exponent", `"1.2e1"`, 12},
		{"other text", `"many"`, 0},
		{"not a number", `"NaN"`, 0},
		{"infinity", `"-Inf"`, 0},
		{"empty text", `""`, 0},
		{"null", `null`, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			doc := `{"count":` + tc.token + `}`
			r := unmarshal(t, doc)
			if got := r.Count.Int64(); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
			if r.Count.IsZero() {
				t.Error("reported as absent")
			}
			if got := marshal(t, r); got != doc {
				t.Errorf("encoded as %s, decoded from %s", got, doc)
			}
		})
	}
}

func TestIntReturnsAnErrorForOtherTokens(t *testing.T) {
	for _, token := range []string{`true`, `false`, `{}`, `[]`, `"`, ``, `-x`, `01`} {
		n := wire.IntOf(7)
		if err := n.UnmarshalJSON([]byte(token)); err == nil || n.Int64() != 7 {
			t.Errorf("%s: got %v and %d, want an error and no change", token, err, n.Int64())
		}
	}
}

func TestIntOfIsEncodedAsANumber(t *testing.T) {
	if got := marshal(t, record{Count: wire.IntOf(-5)}); got != `{"count":-5}` {
		t.Errorf("got %s", got)
	}
	if got := marshal(t, record{}); got != `{}` {
		t.Errorf("absent: got %s", got)
	}
	if got := marshal(t, wire.Int{}); got != `null` {
		t.Errorf("absent, without a struct: got %s", got)
	}
	if a, b := wire.IntOf(5), unmarshal(t, `{"count":5}`).Count; a != b {
		t.Error("IntOf is not equal to the decoded number")
	}
}
