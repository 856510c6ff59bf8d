package sqlinbox

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hookhouse/hookhouse/internal/limit"
	"github.com/hookhouse/hookhouse/webhook"
)

// marshaled is what encoding/json makes of the envelope of d.
func marshaled(t *testing.T, d *webhook.Delivery, notBefore int64) string {
	t.Helper()
	e := envelope{Header: make(http.Header), DedupKeys: d.DedupKeys, NotBefore: notBefore, Malformed: d.Malformed, Unsigned: d.Unsigned}
	for _, name := range slices.Sorted(maps.Keys(d.Header)) {
		if isTextHeader(name, d.Header[name]) {
			e.Header[name] = d.Header[name]
			continue
		}
		raw := rawHeader{Name: []byte(name)}
		for _, v := range d.Header[name] {
			raw.Values = append(raw.Values, []byte(v))
		}
		e.Raw = append(e.Raw, raw)
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func sealsAsMarshaled(t *testing.T, d *webhook.Delivery) {
	t.Helper()
	notBefore, err := limit.NotBefore(d.NotBefore)
	if err != nil {
		t.Fatal(err)
	}
	sealed := sealEnvelope(d, notBefore)
	if want := marshaled(t, d, notBefore); string(sealed) != want {
		t.Errorf("got  %s\nwant %s", sealed, want)
	}
	if !isText(string(sealed)) {
		t.Errorf("%q is not text", sealed)
	}
	opened, err := openEnvelope(sealed)
	if err != nil {
		t.Fatal(err)
	}
	var got webhook.Delivery
	opened.fill(&got)
	if diff := cmp.Diff(d, &got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("delivery changed:\n%s", diff)
	}
}

func TestEnvelopesAreWhatEncodingJSONMakes(t *testing.T) {
	var every strings.Builder // each character up to U+00FF, and some beyond
	for r := rune(0); r <= 0xFF; r++ {
		every.WriteRune(r)
	}
	every.WriteString("\u2027\u2028\u2029\u202a\ufffd\U0001f600\U0010ffff")
	text := strings.ReplaceAll(every.String(), "\x00", "")
	for name, tt := range map[string]struct {
		header http.Header
		keys   []string
	}{
		"nothing":                 {},
		"an empty header":         {http.Header{}, []string{}},
		"a header without values": {http.Header{"A": nil, "B": {}}, nil},
		"keys alone":              {nil, []string{"one", ""}},
		"every character":         {http.Header{text: {text, "", text + text}, "": {text}}, []string{text}},
		"a zero byte":             {http.Header{"A": {"\x00"}, "B": {"b"}}, []string{"key"}},
		"bytes that are not text": {http.Header{"A": {"caf\xe9", "", "\xff\xfe"}, "\xc3": {"a"}, "\x00": nil, "B": {"b"}}, []string{"key"}},
		"nothing that is text":    {http.Header{"\xff": {"a"}}, nil},
		"surrogates and halves":   {http.Header{"A": {"\xed\xa0\x80"}, "B": {"\xe2\x80"}, "C": {"\u2028\u2029"}}, nil},
		"many":                    {many(100), []string{"a", "b", "c"}},
	} {
		t.Run(name, func(t *testing.T) { sealsAsMarshaled(t, &webhook.Delivery{Header: tt.header, DedupKeys: tt.keys}) })
		t.Run(name+", and the rest", func(t *testing.T) {
			sealsAsMarshaled(t, &webhook.Delivery{Header: tt.header, DedupKeys: tt.keys, NotBefore: time.UnixMicro(7), Malformed: text, Unsigned: text})
		})
	}
}

func many(n int) http.Header {
	h := make(http.Header)
	for ; n > 0; n-- {
		h["X-"+strings.Repeat("a", n)] = []string{strings.Repeat("v", n)}
	}
	return h
}

// What versions 1 and 2 of the schema stored is read as it is.
func TestEarlierEnvelopesAreRead(t *testing.T) {
	got, err := openEnvelope([]byte(`{"header":{"A":["a"]},"raw":[{"name":"/w==","values":["AA=="]}],"marks":["one","two"]}`))
	want := envelope{Header: http.Header{"A": {"a"}, "\xff": {"\x00"}}, DedupKeys: []string{"one", "two"}}
	if diff := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Raw" }, cmp.Ignore())); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func FuzzEnvelope(f *testing.F) {
	f.Add("X-Event", "push", "key")
	f.Add("\xff\x00", "caf\xe9", "\u2028<&>")
	f.Add("\"\\", "\b\f\n\r\t\x01\x7f", "\ufffd")
	f.Add("", "", "")
	f.Fuzz(func(t *testing.T, name, value, key string) {
		if !isText(key) {
			return
		}
		sealsAsMarshaled(t, &webhook.Delivery{
			Header: http.Header{name: {value, ""}, "Fixed": {"text"}}, DedupKeys: []string{key, "fixed"}, Malformed: key, Unsigned: key,
		})
	})
}

func TestAHashIsOfTheSourceAndTheKey(t *testing.T) {
	one := appendHash(nil, "alpha", "key")
	// By the sha256sum of another program.
	if got := hexHashes(one); len(got) != 1 || got[0] != "063bee38e2835b7b83dc7b78471a8340" {
		t.Errorf("got %v", got)
	}
	for _, other := range [][2]string{{"alph", "akey"}, {"alphak", "ey"}, {"", "alphakey"}, {"alpha", "Key"}} {
		if string(appendHash(nil, other[0], other[1])) == string(one) {
			t.Errorf("%q has the same hash", other)
		}
	}
}
