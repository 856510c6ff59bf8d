package scan_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hookhouse/hookhouse/internal/scan"
)

// mustPanic requires that f panics with a message of this package.
func mustPanic(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		if got, ok := recover().(string); !ok || !strings.HasPrefix(got, "scan: ") {
			t.Errorf("got panic %q, want a message that begins with scan:", got)
		}
	}()
	f()
}

func TestNewPanics(t *testing.T) {
	for _, tc := range []struct {
		name  string
		paths []string
	}{
		{"on an empty path", []string{""}},
		{"on an empty first segment", []string{".a"}},
		{"on an empty last segment", []string{"a."}},
		{"on an empty middle segment", []string{"a..b"}},
		{"on a repeated path", []string{"a.b", "c", "a.b"}},
		{"on names that differ by case", []string{"ref", "Ref"}},
		{"on parents that differ by case", []string{"a.x", "A.y"}},
		{"on the Kelvin sign beside a k", []string{"a.key", "a.\u212aey"}},
		{"on a segment that is not UTF-8", []string{"a.\xff"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			mustPanic(t, func() { scan.New(tc.paths...) })
		})
	}
}

func TestNewAccepts(t *testing.T) {
	for _, tc := range []struct {
		name  string
		paths []string
	}{
		{"no path", nil},
		{"a path and its prefix", []string{"a", "a.b"}},
		{"a prefix last", []string{"a.b.c", "a.b", "a"}},
		{"one name in two objects", []string{"a.id", "b.id", "id"}},
		{"one name in two objects in another case", []string{"a.id", "b.ID"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got, want := scan.New(tc.paths...).Len(), len(tc.paths); got != want {
				t.Errorf("got Len %d, want %d", got, want)
			}
		})
	}
}

func TestScanPanicsOnTheWrongNumberOfValues(t *testing.T) {
	mustPanic(t, func() { _ = routing.Scan([]byte(`{}`), nil) })
	mustPanic(t, func() { _ = routing.Scan([]byte(`{}`), make([]scan.Value, routing.Len()+1)) })
}

// The names are more than the bits of a word.
func TestScanWatchesManyPaths(t *testing.T) {
	paths := make([]string, 200)
	for i := range paths {
		paths[i] = fmt.Sprintf("group%d.name%d", i%7, i)
	}
	groups := make([][]string, 7)
	for i := range paths {
		groups[i%7] = append(groups[i%7], fmt.Sprintf(`"name%d":%d`, i, i))
	}
	members := make([]string, len(groups))
	for i, g := range groups {
		slices.Reverse(g)
		members[i] = fmt.Sprintf(`"group%d":{%s}`, i, strings.Join(g, ","))
	}
	out := make([]scan.Value, len(paths))
	p := scan.New(paths...)
	if err := p.Scan([]byte("{"+strings.Join(members, ",")+"}"), out); err != nil {
		t.Fatal(err)
	}
	for i, v := range out {
		if got, want := v.String(), fmt.Sprint(i); got != want {
			t.Errorf("%s: got %q, want %q", paths[i], got, want)
		}
	}
	members[0] = `"group0":{"name196":1,"name196":1}`
	if err := p.Scan([]byte("{"+strings.Join(members, ",")+"}"), out); err == nil {
		t.Error("got nil for a repeated name, want ErrAmbiguous")
	}
}

func TestPathsAreSafeForConcurrentUse(t *testing.T) {
	doc := pushBody()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			out := make([]scan.Value, routing.Len())
			for range 50 {
				if err := routing.Scan(doc, out); err != nil {
					t.Error(err)
				}
				if got, want := out[1].String(), "Codertocat/Hello-World"; got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
	wg.Wait()
}
