package wire_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// compact returns the token in the form in which encoding/json writes it if
// MarshalJSON returned it.
func compact(t *testing.T, token []byte) string {
	t.Helper()
	text, err := json.Marshal(json.RawMessage(bytes.TrimSpace(token)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// FuzzTime tests that every time that is decoded is encoded as it was.
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
			t.Fatalf("decoded from %s, encoded as %s", want, text)
		}
		if err := json.Unmarshal([]byte(text), &again); err != nil {
			t.Fatal(err)
		}
		if !again.Equal(at.Time) || again.Valid() != at.Valid() || again.Text() != at.Text() || at.IsZero() {
			t.Errorf("%s: decoded as %v, and the second time as %v", text, at, again)
		}
		if !at.Valid() && !at.Time.Equal(time.Time{}) {
			t.Errorf("%s: not valid, but the time is %v", text, at.Time)
		}
	})
}

// FuzzInt tests that every number that is decoded is encoded as it was.
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
			t.Fatalf("decoded from %s, encoded as %s", want, text)
		}
		if err := json.Unmarshal([]byte(text), &again); err != nil {
			t.Fatal(err)
		}
		var plain int64
		if json.Unmarshal(token, &plain) == nil && plain != n.Int64() {
			t.Errorf("%s: decoded as %d, but an int64 as %d", text, n.Int64(), plain)
		}
		if again.Int64() != n.Int64() || n.IsZero() {
			t.Errorf("%s: decoded as %d, and the second time as %d", text, n.Int64(), again.Int64())
		}
	})
}

// FuzzOptional tests that an Optional decodes a value as encoding/json decodes it
// without the Optional, and null as null.
func FuzzOptional(f *testing.F) {
	for _, seed := range []string{`null`, `[]`, `["a"]`, `[null]`, `"a"`, `{}`, ` null `, `["\ud800"]`, `true`, `false`, `12`, `-0`, `-128`, `128`,
		`01`, `1e2`, `"12"`, `"\u0061"`, "\"\u00e9\"", "\"\xff\"", "\"\x7f\"", `""`, `"1.5"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, token []byte) {
		readsAsPlain[[]string](t, token)
		readsAsPlain[string](t, token)
		readsAsPlain[tag](t, token)
		readsAsPlain[trimmed](t, token)
		readsAsPlain[spelled](t, token)
		readsAsPlain[json.Number](t, token)
		readsAsPlain[bool](t, token)
		readsAsPlain[int8](t, token)
		readsAsPlain[int64](t, token)
	})
}

// readsAsPlain requires that an Optional[T] decodes the token as a T does.
func readsAsPlain[T any](t *testing.T, token []byte) {
	t.Helper()
	var o, again wire.Optional[T]
	var plain T
	err, want := json.Unmarshal(token, &o), json.Unmarshal(token, &plain)
	if (err == nil) != (want == nil) {
		t.Fatalf("%T: got %v, want %v", plain, err, want)
	}
	if err != nil {
		return
	}
	null := string(bytes.TrimSpace(token)) == "null"
	if o.IsZero() || o.IsNull() != null {
		t.Fatalf("%T: %s is decoded as absent %v, null %v", plain, token, o.IsZero(), o.IsNull())
	}
	if got, _ := o.Get(); !null && !reflect.DeepEqual(got, plain) {
		t.Errorf("%T: %s is decoded as %#v, want %#v", plain, token, got, plain)
	}
	text := marshal(t, o)
	if err := json.Unmarshal([]byte(text), &again); err != nil || marshal(t, again) != text {
		t.Errorf("%T: %s is not encoded the same way again: %v", plain, text, err)
	}
}
