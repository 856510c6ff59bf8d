package pyjson

import (
	"encoding/json"
	"testing"
)

// The texts are what json.dumps of Python 3.12 returns.
func TestValuesAreWrittenAsPythonDoes(t *testing.T) {
	for _, tt := range []struct {
		value any
		want  string
	}{
		{nil, `null`},
		{true, `true`},
		{-7, `-7`},
		{int64(1) << 60, `1152921504606846976`},
		{json.Number("1.50"), `1.50`},
		{[]any{}, `[]`},
		{Object{}, `{}`},
		{Object{{"b", []any{1, "x"}}, {"a", Object{{"c", nil}}}}, `{"b": [1, "x"], "a": {"c": null}}`},
		{"na\u00efve \U0001f600 </>&\u2028", `"na\u00efve \ud83d\ude00 </>&\u2028"`},
		{"\"\\\n\r\t\f\b\x00\x1f\x7f~", `"\"\\\n\r\t\f\b\u0000\u001f\u007f~"`},
		{"\xff", `"\ufffd"`},
	} {
		if got := string(Append(nil, tt.value)); got != tt.want {
			t.Errorf("%#v: %s, want %s", tt.value, got, tt.want)
		}
	}
}

func TestSortedSortsTheMembersOfEachObject(t *testing.T) {
	v := Object{{"b", []any{Object{{"y", 1}, {"x", 2}}}}, {"a", 3}}
	if got, want := string(Append(nil, Sorted(v))), `{"a": 3, "b": [{"x": 2, "y": 1}]}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := string(Append(nil, v)), `{"b": [{"y": 1, "x": 2}], "a": 3}`; got != want {
		t.Errorf("v was changed: %s", got)
	}
}
