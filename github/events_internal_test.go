package github

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// duplicatesSection returns the two preformatted blocks in the section
// Duplicates of the package comment: the lines of the table, and the names in
// the list.
func duplicatesSection(t *testing.T) (rows, others []string) {
	t.Helper()
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "// # Duplicates\n")
	if !found {
		t.Fatal("found is false, want true")
	}
	section, _, _ = strings.Cut(section, "// # ")
	var blocks [][]string
	before := ""
	for line := range strings.Lines(section) {
		if text, ok := strings.CutPrefix(line, "//\t"); ok {
			if !strings.HasPrefix(before, "//\t") {
				blocks = append(blocks, nil)
			}
			blocks[len(blocks)-1] = append(blocks[len(blocks)-1], strings.TrimSpace(text))
		}
		before = line
	}
	if len(blocks) != 2 {
		t.Fatalf("len(blocks) = %d, want 2: %v", len(blocks), blocks)
	}
	for name := range strings.SplitSeq(strings.Join(blocks[1], " "), ",") {
		others = append(others, strings.TrimSpace(name))
	}
	return blocks[0], others
}

func TestPackageCommentListsTheDedupKeys(t *testing.T) {
	listed, others := duplicatesSection(t)
	var want []string
	for event, w := range eventRules {
		row := []string{event, w.action, w.newID}
		switch {
		case event == "push":
			row[2] = "ref, before, after, repository.pushed_at"
		case w.newID == "":
			if !slices.Contains(others, event) {
				t.Fatalf("has no dedup key by the signature: others = %v, want it to contain %q", others, event)
			}
			continue
		case w.mustLack != "":
			row[2] += ", and no " + w.mustLack
		}
		want = append(want, strings.Join(strings.Fields(strings.Join(row, " ")), " "))
	}
	slices.Sort(want)
	var got []string
	for _, line := range listed {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("got (-want +got):\n%s", diff)
	}

	if !slices.IsSorted(others) {
		t.Fatal("slices.IsSorted(others) is false, want true")
	}
	for _, event := range others {
		if eventRules[event].newID != "" {
			t.Fatalf("%v: eventRules[event].newID = %q, want empty", event, eventRules[event].newID)
		}
		if event == "push" {
			t.Fatalf("event = %q, want another than \"push\"", event)
		}
	}
}

// With a wrong index, a rule would read the value of another path.
func TestEventRulesFitIntoValues(t *testing.T) {
	for event, w := range eventRules {
		if got := w.paths.Len(); got > len(values{}) {
			t.Fatalf("%v: w.paths.Len() = %d, want at most %d", event, got, len(values{}))
		}
		if got, want := w.atSubject >= 0, w.subject != ""; got != want {
			t.Fatalf("%v: w.atSubject >= 0 = %v, want %v", event, got, want)
		}
		if got, want := w.atNewID >= 0, w.newID != ""; got != want {
			t.Fatalf("%v: w.atNewID >= 0 = %v, want %v", event, got, want)
		}
		if got, want := w.atMustLack >= 0, w.mustLack != ""; got != want {
			t.Fatalf("%v: w.atMustLack >= 0 = %v, want %v", event, got, want)
		}
		if len(w.action) > 32 {
			t.Fatalf("%v: len(w.action) = %d, want at most 32", event, len(w.action))
		}
		if w.typ != typeOf(event) {
			t.Fatalf("w.typ = %q, want %q", w.typ, typeOf(event))
		}
	}
}
