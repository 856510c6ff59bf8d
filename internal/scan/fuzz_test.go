package scan_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/internal/scan"
)

// fuzzed are the watched paths of FuzzScan and FuzzDecode: a single name, a path with
// its prefix, and names with k and s, which have three forms under case folding.
var fuzzed = []string{"ref", "repository", "repository.full_name", "sender.desk.k"}

// A routed has the watched names as json tags, like the payload of a handler.
type routed struct {
	Ref        json.RawMessage `json:"ref"`
	Repository *struct {
		FullName json.RawMessage `json:"full_name"`
	} `json:"repository"`
	Sender *struct {
		Desk *struct {
			K json.RawMessage `json:"k"`
		} `json:"desk"`
	} `json:"sender"`
}

// values returns the decoded values of the paths of fuzzed, or nil for a missing one.
// It returns none for repository, which is a struct.
func (r routed) values() []json.RawMessage {
	v := []json.RawMessage{r.Ref, nil, nil, nil}
	if r.Repository != nil {
		v[2] = r.Repository.FullName
	}
	if r.Sender != nil && r.Sender.Desk != nil {
		v[3] = r.Sender.Desk.K
	}
	return v
}

// walk returns the value that encoding/json finds at path, or nil. It decodes objects
// into maps, which do not fold the case of names.
func walk(doc []byte, path string) json.RawMessage {
	for name := range strings.SplitSeq(path, ".") {
		var members map[string]json.RawMessage
		if json.Unmarshal(doc, &members) != nil {
			return nil
		}
		doc = members[name]
	}
	return doc
}

// addSeeds adds documents for each branch of the scanner.
func addSeeds(f *testing.F) {
	for _, doc := range []string{
		``, `null`, `"\\`, `tr`, `{"a":"\u00`,
		`[1,-0.5e+3,01]`, `{"ref":"a\u00e9\ud83d\ude00\n"}`, "{\"ref\":\"\xff\"}", `{"ref":1,"Ref":2}`,
		`{"ref":1,"r\u0065f":2}`, `{"REF":1}`, `{"ref":1,"ref":2}`, `{"reference":1,"reference":2,"re":3}`,
		`{"repository":{"full_name":"a/b","Full_Name":1}}`, `{"repository":null,"repository":{}}`,
		`{"repository":[{"full_name":1,"full_name":2}],"sender":"x"}`, `{"repo\u017fitory":1}`,
		"{\"repo\u017fitory\":{\"full_name\":1}}", `{ "sender" : { "desk" : { "k" : [ ] } } , "x" : { } }`,
		"{\"sender\":{\"desk\":{\"\u212a\":1}}}", `{"sender":{"des\u212A":{"k":1}}}`, `{"sender":{"desk":{"k":1,"K":2}}}`,
		"{\"ref\xff\":1,\"ref\\ud800\":2,\"\":{}}", `{"ref":tru}`, `{"ref":"` + strings.Repeat(`\\`, 9) + `"}`,
		nested(`{"repository":`, `{"ref":1}`, `}`, 12),
	} {
		f.Add([]byte(doc))
	}
	f.Add(pushBody())
}

// FuzzScan tests that Scan returns ErrSyntax exactly if json.Valid returns false, and
// the same values as encoding/json.
func FuzzScan(f *testing.F) {
	addSeeds(f)
	paths := scan.New(fuzzed...)
	f.Fuzz(func(t *testing.T, doc []byte) {
		before := bytes.Clone(doc)
		out := make([]scan.Value, paths.Len())
		err := paths.Scan(doc, out)
		if !bytes.Equal(doc, before) {
			t.Fatal("the document was modified")
		}
		if got, want := errors.Is(err, scan.ErrSyntax), !json.Valid(doc); got != want {
			t.Fatalf("got %v, want ErrSyntax %t", err, want)
		}
		for i, v := range out {
			if err != nil {
				if v.Kind != scan.Absent || v.Raw != nil {
					t.Fatalf("%s: the value is set although Scan returned %v", fuzzed[i], err)
				}
				continue
			}
			if want := walk(doc, fuzzed[i]); !bytes.Equal(v.Raw, want) || (v.Kind == scan.Absent) != (want == nil) {
				t.Fatalf("%s: got %v %q, want %q", fuzzed[i], v.Kind, v.Raw, want)
			}
			checkKind(t, v)
		}
	})
}

// checkKind requires the kind and the text that encoding/json decodes from Raw.
func checkKind(t *testing.T, v scan.Value) {
	t.Helper()
	if v.Kind == scan.Absent {
		return
	}
	d := json.NewDecoder(bytes.NewReader(v.Raw))
	d.UseNumber()
	var decoded any
	if err := d.Decode(&decoded); err != nil {
		t.Fatalf("%q: %v", v.Raw, err)
	}
	var kind scan.Kind
	var text string
	switch decoded := decoded.(type) {
	case nil:
		kind = scan.Null
	case bool:
		kind, text = scan.Bool, fmt.Sprint(decoded)
	case json.Number:
		kind, text = scan.Number, decoded.String()
	case string:
		kind, text = scan.String, decoded
	case map[string]any:
		kind = scan.Object
	case []any:
		kind = scan.Array
	}
	if v.Kind != kind || v.String() != text {
		t.Fatalf("%q: got %v %q, want %v %q", v.Raw, v.Kind, v.String(), kind, text)
	}
}

// FuzzDecode tests that, if Scan returns nil, a struct with the watched names as json
// tags decodes exactly the values that Scan returned.
func FuzzDecode(f *testing.F) {
	addSeeds(f)
	paths := scan.New(fuzzed...)
	f.Fuzz(func(t *testing.T, doc []byte) {
		out := make([]scan.Value, paths.Len())
		if paths.Scan(doc, out) != nil {
			return
		}
		var r routed
		var mismatch *json.UnmarshalTypeError
		if err := json.Unmarshal(doc, &r); err != nil && !errors.As(err, &mismatch) {
			t.Fatal(err)
		}
		for i, want := range r.values() {
			if got := out[i].Raw; fuzzed[i] != "repository" && !bytes.Equal(got, want) {
				t.Errorf("%s: got %q, want %q", fuzzed[i], got, want)
			}
		}
	})
}

// FuzzName tests that Scan matches each form of a name as encoding/json does.
func FuzzName(f *testing.F) {
	for _, raw := range []string{`desk`, `DESK`, `d\u0065sk`, `des\u212a`, "de\u017fk", `de\u017FK`, "des\xff", `des`, `desks`, `de\/k`} {
		f.Add([]byte(raw))
	}
	paths := scan.New("desk")
	f.Fuzz(func(t *testing.T, raw []byte) {
		var name string
		if json.Unmarshal(fmt.Appendf(nil, `"%s"`, raw), &name) != nil {
			return
		}
		var decoded struct {
			Desk json.RawMessage `json:"desk"`
		}
		doc := fmt.Appendf(nil, `{"%s":1}`, raw)
		if err := json.Unmarshal(doc, &decoded); err != nil {
			t.Fatal(err)
		}
		out := make([]scan.Value, 1)
		err := paths.Scan(doc, out)
		if got, want := out[0].Kind == scan.Number, name == "desk"; got != want {
			t.Errorf("%q: got found %t, want %t", raw, got, want)
		}
		if got, want := errors.Is(err, scan.ErrAmbiguous), decoded.Desk != nil && name != "desk"; got != want {
			t.Errorf("%q: got %v, want ErrAmbiguous %t", raw, err, want)
		}
	})
}
