package scan_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/internal/scan"
)

// desks has names with k and s, the ASCII letters that are equal to a third rune
// under case folding, and names that are not plain ASCII.
var desks = scan.New("desk", "desk.keys", "repository.full_name", "stra\u00dfe", "\u212aelvin", `a\b`)

func TestScanReturnsErrAmbiguous(t *testing.T) {
	for _, tc := range []struct {
		name, doc string
		path      string // the watched path in the error, as %q writes it
	}{
		{"a name twice", `{"desk":1,"desk":1}`, `"desk"`},
		{"a name twice, far apart", `{"desk":{},"x":[{"desk":1}],"desk":1}`, `"desk"`},
		{"a name twice, null first", `{"desk":null,"desk":1}`, `"desk"`},
		{"only a name in another case", `{"Desk":1}`, `"desk"`},
		{"a name in another case after it", `{"desk":1,"DESK":1}`, `"desk"`},
		{"a name in another case before it", `{"desK":1,"desk":1}`, `"desk"`},
		{"a name written with an escape", `{"desk":1,"d\u0065sk":1}`, `"desk"`},
		{"another case written with an escape", `{"\u0044esk":1}`, `"desk"`},
		{"the Kelvin sign for a k", "{\"des\u212a\":1}", `"desk"`},
		{"the Kelvin sign as an escape", `{"des\u212a":1}`, `"desk"`},
		{"a long s for an s", "{\"de\u017fk\":1}", `"desk"`},
		{"a k for the Kelvin sign", `{"kelvin":1}`, "\"\u212aelvin\""},
		{"a K for the Kelvin sign", `{"Kelvin":1}`, "\"\u212aelvin\""},
		{"a capital sharp s", "{\"STRA\u1e9eE\":1}", "\"stra\u00dfe\""},
		{"an escaped backslash twice", `{"a\\b":1,"a\u005cb":2}`, `"a\\b"`},
		{"a parent twice", `{"repository":{},"repository":{"full_name":"a"}}`, `"repository"`},
		{"a parent twice, neither an object", `{"repository":1,"repository":2}`, `"repository"`},
		{"a parent in another case", `{"Repository":{"full_name":"a"}}`, `"repository"`},
		{"a child twice", `{"repository":{"full_name":1,"full_name":2}}`, `"repository.full_name"`},
		{"a child in another case", `{"repository":{"Full_Name":1}}`, `"repository.full_name"`},
		{"a child of a path that is watched too", `{"desk":{"keys":1,"\u212aeys":2}}`, `"desk.keys"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			out := make([]scan.Value, desks.Len())
			err := desks.Scan([]byte(tc.doc), out)
			if !errors.Is(err, scan.ErrAmbiguous) || errors.Is(err, scan.ErrSyntax) {
				t.Fatalf("got %v, want ErrAmbiguous", err)
			}
			if !strings.HasPrefix(err.Error(), "scan: ambiguous name: "+tc.path+" at byte ") {
				t.Errorf("got %q, want the path %s", err, tc.path)
			}
			for i, v := range out {
				if v.Kind != scan.Absent || v.Raw != nil {
					t.Errorf("value %d is set although Scan returned an error", i)
				}
			}
		})
	}
}

func TestScanAcceptsAmbiguousNamesThatAreNotWatched(t *testing.T) {
	for _, tc := range []struct {
		name, doc string
	}{
		{"a name longer than a watched one", `{"desks":1,"desks":2,"Desks":3}`},
		{"a name shorter than a watched one", `{"des":1,"des":2,"\u0064es":3}`},
		{"a watched name in an object that is not watched", `{"x":{"desk":1,"desk":2,"DESK":3}}`},
		{"a child's name outside its parent", `{"full_name":1,"full_name":2,"Keys":3}`},
		{"a child's name in an array", `{"desk":[{"keys":1,"keys":2}]}`},
		{"a child's name in an array at the top", `[{"desk":1,"desk":2}]`},
		{"a child's name one level deeper", `{"desk":{"x":{"keys":1,"Keys":2}}}`},
		{"a path written as one name", `{"desk.keys":1,"desk.keys":2}`},
		{"a backspace where a backslash is watched", `{"a\b":1,"a\b":2}`},
		{"two letters for a sharp s", `{"strasse":1,"STRASSE":2}`},
		{"a byte that is not UTF-8", "{\"des\xff\":1,\"des\xff\":2}"},
		{"an accent on a letter", "{\"d\u00e9sk\":1,\"d\u00e9sk\":2}"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if err := desks.Scan([]byte(tc.doc), make([]scan.Value, desks.Len())); err != nil {
				t.Errorf("got %v, want nil", err)
			}
		})
	}
}

func TestScanReturnsErrSyntaxIfADocumentIsAlsoAmbiguous(t *testing.T) {
	err := desks.Scan([]byte(`{"desk":1,"desk":2`), make([]scan.Value, desks.Len()))
	if !errors.Is(err, scan.ErrSyntax) || errors.Is(err, scan.ErrAmbiguous) {
		t.Errorf("got %v, want only ErrSyntax", err)
	}
}

func TestErrorsContainNothingOfTheDocument(t *testing.T) {
	for _, doc := range []string{
		`{"desk":"hunter2","desk":"hunter2"}`,
		`{"hunter2":hunter2}`,
		`{"repository":{"hunter2":1,"FULL_NAME":"hunter2"}}`,
		`"hunter2`,
	} {
		err := desks.Scan([]byte(doc), make([]scan.Value, desks.Len()))
		if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "FULL") {
			t.Errorf("got %v, want an error without text of the document", err)
		}
	}
}
