package wire_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// compact is how encoding/json writes what a MarshalJSON returned.
func compact(t *testing.T, token []byte) string {
	t.Helper()
	text, err := json.Marshal(json.RawMessage(bytes.TrimSpace(token)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// FuzzTime: whatever is read is written again as it was.
func FuzzTime(f *testing.F) {
	for _, seed := range []string{`1417566161`, `1.417566161e+09`, `-1.5`, `1e-400`, `1e400`, `"2015-06-11T10:39:07.5550941Z"`,
		`"2015-06-11T16:09:07\u002B05:30"`, `"0001-01-01T00:00:00"`, `"<"`, `null`, `true`, `{}`, ` 1 `} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, token []byte) {
		var at, again wire.Time
		if json.Unmarshal(token, &at) != nil {
			return
		}
		text := marshal(t, at)
		if want := compact(t, token); text != want {
			t.Fatalf("read %s, written %s", want, text)
		}
		if err := json.Unmarshal([]byte(text), &again); err != nil {
			t.Fatal(err)
		}
		if !again.Equal(at.Time) || again.Valid() != at.Valid() || again.Text() != at.Text() || at.IsZero() {
			t.Errorf("%s: %v became %v", text, at, again)
		}
		if !at.Valid() && !at.Time.Equal(time.Time{}) {
			t.Errorf("%s: not valid, and yet %v", text, at.Time)
		}
	})
}

// FuzzInt: whatever is read is written again as it was.
func FuzzInt(f *testing.F) {
	for _, seed := range []string{`0`, `-12`, `9223372036854775807`, `9223372036854775808`, `1.2e1`, `12.5`, `1e400`, `"12"`, `"-Inf"`, `null`, `true`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, token []byte) {
		var n, again wire.Int
		if json.Unmarshal(token, &n) != nil {
			return
		}
		text := marshal(t, n)
		if want := compact(t, token); text != want {
			t.Fatalf("read %s, written %s", want, text)
		}
		if err := json.Unmarshal([]byte(text), &again); err != nil {
			t.Fatal(err)
		}
		var plain int64
		if json.Unmarshal(token, &plain) == nil && plain != n.Int64() {
			t.Errorf("%s: read as %d, an int64 reads %d", text, n.Int64(), plain)
		}
		if again.Int64() != n.Int64() || n.IsZero() {
			t.Errorf("%s: %d became %d", text, n.Int64(), again.Int64())
		}
	})
}

// FuzzOptional: a value is read as without the Optional, null is null.
func FuzzOptional(f *testing.F) {
	for _, seed := range []string{`null`, `[]`, `["a"]`, `[null]`, `"a"`, `{}`, ` null `, `["\ud800"]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, token []byte) {
		var o, again wire.Optional[[]string]
		var plain []string
		err, want := json.Unmarshal(token, &o), json.Unmarshal(token, &plain)
		if (err == nil) != (want == nil) {
			t.Fatalf("got %v, want %v", err, want)
		}
		if err != nil {
			return
		}
		if got := marshal(t, o); got != marshal(t, plain) || o.IsZero() || o.IsNull() != (got == "null") {
			t.Errorf("read %s, written %s", token, got)
		}
		if err := json.Unmarshal([]byte(marshal(t, o)), &again); err != nil || marshal(t, again) != marshal(t, o) {
			t.Errorf("not a fixpoint: %v", err)
		}
	})
}
