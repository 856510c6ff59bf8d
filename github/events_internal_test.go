package github

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// duplicatesSection returns the two preformatted blocks in the section
// Duplicates of the package comment: the lines of the table, and the names in
// the list.
func duplicatesSection(t *testing.T) (rows, others []string) {
	t.Helper()
	text, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "// # Duplicates\n")
	require.True(t, found)
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
	require.Len(t, blocks, 2)
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
			require.Contains(t, others, event, "has no dedup key by the signature")
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
	require.Equal(t, want, got)

	require.True(t, slices.IsSorted(others))
	for _, event := range others {
		require.Empty(t, eventRules[event].newID, event)
		require.NotEqual(t, "push", event)
	}
}

// With a wrong index, a rule would read the value of another path.
func TestEventRulesFitIntoValues(t *testing.T) {
	for event, w := range eventRules {
		require.LessOrEqual(t, w.paths.Len(), len(values{}), event)
		require.Equal(t, w.subject != "", w.atSubject >= 0, event)
		require.Equal(t, w.newID != "", w.atNewID >= 0, event)
		require.Equal(t, w.mustLack != "", w.atMustLack >= 0, event)
		require.LessOrEqual(t, len(w.action), 32, event)
		require.Equal(t, typeOf(event), w.typ)
	}
}
