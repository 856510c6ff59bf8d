package statement

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCompile(t *testing.T) {
	const text = "a = @uid AND b < @now OR c = @uid::text AND d = @sender_id"
	for _, tt := range []struct {
		name   string
		syntax Syntax
		text   string
		want   Query
	}{
		{"question marks", Syntax{}, text,
			Query{"a = ? AND b < ? OR c = ?::text AND d = ?", []string{"uid", "now", "uid", "sender_id"}}},
		{"numbers and a clock", Syntax{Numbered: true, Now: "clock()"}, text,
			Query{"a = $1 AND b < clock() OR c = $1::text AND d = $2", []string{"uid", "sender_id"}}},
		{"numbers", Syntax{Numbered: true}, "@now + @now", Query{"$1 + $1", []string{"now"}}},
		{"question marks and a clock", Syntax{Now: "clock()"}, "@now + @n", Query{"clock() + ?", []string{"n"}}},
		{"no argument", Syntax{}, "BEGIN", Query{"BEGIN", nil}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Compile(tt.text, tt.syntax)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBind(t *testing.T) {
	q := Query{Args: []string{"b", "a", "b"}}
	if diff := cmp.Diff([]any{2, "1", 2}, q.Bind(Args{"a": "1", "b": 2, "c": 3})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	q = Query{Args: []string{"now"}}
	if got := q.Bind(Args{"now": int64(7)}); got[0] != int64(7) {
		t.Errorf("now is %v, want the caller's", got[0])
	}
	before := time.Now().UnixMicro()
	got, ok := q.Bind(nil)[0].(int64)
	if !ok || got < before || got > time.Now().UnixMicro() {
		t.Errorf("now is %v, want the time in microseconds", got)
	}
}

func TestBindPanicsWithoutAnArgument(t *testing.T) {
	defer func() {
		if got := recover(); got != "statement: query lacks argument uid" {
			t.Errorf("it panicked with %v", got)
		}
	}()
	Query{Args: []string{"uid"}}.Bind(Args{"id": 1})
}

func TestGetPanicsWithoutASection(t *testing.T) {
	set := Read("-- name: nothing\n", Syntax{})
	if q := set.Get("nothing"); q.Text != "" {
		t.Errorf("an empty section has the text %q", q.Text)
	}
	defer func() {
		if got := recover(); got != "statement: there is no query nothink" {
			t.Errorf("it panicked with %v", got)
		}
	}()
	set.Get("nothink")
}

func TestRead(t *testing.T) {
	got := Read(`-- The statements. @this is no argument.

-- name: first
-- A comment of @its own.
SELECT a
  -- and one inside
FROM t WHERE id = @id

-- name: nothing
-- There is nothing to do.

-- name: last
DELETE FROM t -- at the end of a line it stays
`, Syntax{})
	want := Set{
		"first":   {"SELECT a\nFROM t WHERE id = ?", []string{"id"}},
		"nothing": {},
		"last":    {Text: "DELETE FROM t -- at the end of a line it stays"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
