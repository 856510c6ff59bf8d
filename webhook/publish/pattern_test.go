package publish_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

func TestPatternsOfAType(t *testing.T) {
	for typ, want := range map[string][]string{
		"ping":               {"ping", "*"},
		"invoice.paid":       {"invoice.paid", "invoice.*", "*"},
		"invoice.line.added": {"invoice.line.added", "invoice.line.*", "invoice.*", "*"},
	} {
		if diff := cmp.Diff(want, publish.Patterns(typ)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", typ, diff)
		}
	}
}

func TestWhatIsNoTypeIsRefused(t *testing.T) {
	for _, typ := range []string{
		"", ".", "a.", ".a", "a..b", "*", "a.*", "a*", "a b", "a\tb", "a\nb", "a\x00b", "a\xffb", "a\u00a0b", "a\u202eb", "a\u200bb", strings.Repeat("t", 256),
	} {
		if err := publish.ValidateType(typ); !errors.Is(err, publish.ErrEvent) || len(err.Error()) > 400 {
			t.Errorf("%.20q: %v", typ, err)
		}
	}
	for _, typ := range []string{"a", "a.b", "a_b-c/d:e", "Ä.ö", strings.Repeat("t", 255)} {
		if err := publish.ValidateType(typ); err != nil {
			t.Errorf("%.20q: %v", typ, err)
		}
	}
}

// matchesNaively says in another way than Patterns whether a pattern matches a type.
func matchesNaively(pattern, typ string) bool {
	if pattern == "*" {
		return true
	}
	words := strings.Split(pattern, ".")
	last := len(words) - 1
	given := strings.Split(typ, ".")
	if words[last] == "*" {
		return len(given) > last && slices.Equal(given[:last], words[:last])
	}
	return slices.Equal(given, words)
}

// FuzzMatch compares Match with a matcher that knows no index. Each line of the patterns is
// an endpoint's.
func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{
		{"a.b\na.*\n*\nb.*", "a.b"}, {"a.*", "a"}, {"a.*", "ab.c"}, {"a.b.*\na.*\na.b.c", "a.b.c.d"}, {"A.b", "a.b"}, {"a_b.%\n*", "axb.c"}, {"*.a\na.*.b\n**", "a.b"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, patterns, typ string) {
		var store publish.MemStore
		var want []string
		for i, pattern := range strings.Split(patterns, "\n") {
			e := storable()
			e.ID, e.Name, e.Events = fmt.Sprint(i), "", []string{pattern}
			if _, err := store.Create(t.Context(), e); err != nil {
				if !errors.Is(err, publish.ErrEndpoint) {
					t.Fatalf("Create with %q: %v", pattern, err)
				}
				continue
			}
			if matchesNaively(pattern, typ) {
				want = append(want, e.ID)
			}
		}
		targets, err := store.Match(t.Context(), "acme", typ)
		if invalid := publish.ValidateType(typ) != nil; invalid != (err != nil) {
			t.Fatalf("Match of %q: %v", typ, err)
		} else if invalid {
			return
		}
		var got []string
		for _, target := range targets {
			got = append(got, target.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("Match of %q by %q found %q, want %q", typ, patterns, got, want)
		}
	})
}

// An event's type costs as many look-ups as it has words, so their number is bounded by the
// length of a type.
func TestPatternsOfTheLongestTypeAreFew(t *testing.T) {
	typ := strings.TrimSuffix(strings.Repeat("t.", 128), ".")
	if err := publish.ValidateType(typ); err != nil {
		t.Fatal(err)
	}
	if n := len(publish.Patterns(typ)); n != 129 {
		t.Errorf("%d patterns, want 129", n)
	}
	if !strings.HasSuffix(publish.Patterns(typ)[127], "t.*") {
		t.Errorf("%q", publish.Patterns(typ)[127])
	}
}

func TestAStoredAttemptHasTimesToTheMicrosecond(t *testing.T) {
	at := time.Date(2026, 2, 3, 4, 5, 6, 123456789, time.UTC)
	a := publish.Attempt{At: at, Next: at, Took: 1234567}.Stored()
	if !a.At.Equal(at.Truncate(time.Microsecond)) || !a.Next.Equal(a.At) || a.Took != 1234*time.Microsecond {
		t.Errorf("at %v, next %v, took %v", a.At, a.Next, a.Took)
	}
	if zero := (publish.Attempt{}).Stored(); !zero.At.IsZero() || !zero.Next.IsZero() {
		t.Errorf("the zero times became %v and %v", zero.At, zero.Next)
	}
}
