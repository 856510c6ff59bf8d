package inboxtest

import (
	"fmt"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// knowing are the laws of [webhook.Knower]. Every other Inbox passes.
var knowing = []law{
	{"a dedup key is known once its delivery is stored", ofKnower(func(t *knowerTrial) {
		t.knows("1 0 2 ", "")
		t.put("", "1")
		t.put("key", "2", "3")
		t.put("key", "4")
		t.knows("0 1 2 3 4 5 3 ", "1 2 3 4 3 ")
	})},
	{"a dedup key is known in whatever state its delivery is", ofKnower(func(t *knowerTrial) {
		for _, s := range []webhook.State{webhook.Done, webhook.Dead, webhook.Ignored} {
			t.put("", string(s))
			t.end(t.claim(), s)
		}
		t.put("", "claimed")
		t.claim()
		t.knows("claimed done dead ignored ", "claimed done dead ignored ")
	})},
	{"the dedup keys of other Sources are not known", ofKnower(func(t *knowerTrial) {
		d := t.delivery("", "1")
		d.Source = "beta"
		t.store(d)
		t.put("", "2")
		t.knows("1 2 ", "2 ")
	})},
	{"the dedup keys of a duplicate are not known", ofKnower(func(t *knowerTrial) {
		t.put("", "1")
		t.duplicate(t.delivery("", "1", "2"))
		t.knows("1 2 ", "1 ")
	})},
	{"a thousand dedup keys can be looked up at once, and no more", ofKnower(func(t *knowerTrial) {
		keys := make([]string, 1000)
		for n := range keys {
			keys[n] = fmt.Sprint("key ", n)
		}
		t.put("", keys[0])
		t.put("", keys[999])
		known := t.known(keys)
		for n := range keys {
			if want := n == 0 || n == 999; known[n] != want {
				t.Errorf("key %d: %v, want %v", n, known[n], want)
			}
		}
		if _, err := t.k.Known(t.Context(), someSource, append(keys, "one more")); err == nil {
			t.Errorf("Known of 1 001 keys returned nil")
		}
	})},
}

// knownDeleted is a law of an Inbox that is a [webhook.Sweeper] and a [webhook.Knower].
var knownDeleted = []sweepLaw{
	{law{"a dedup key of a deleted delivery is known", ofKnower(func(t *knowerTrial) {
		for _, s := range []webhook.State{webhook.Done, webhook.Dead} {
			t.put("", string(s))
			t.end(t.claim(), s)
		}
		t.sweeps(2)
		t.knows("done dead ", "done dead ")
	})}, short, short},
}

// A knowerTrial is a trial with an inbox that is a Knower.
type knowerTrial struct {
	*trial
	k webhook.Knower
}

func ofKnower(check func(t *knowerTrial)) func(t *trial) {
	return func(t *trial) {
		if k, ok := t.in.(webhook.Knower); ok {
			check(&knowerTrial{t, k})
		}
	}
}

// known calls Known, which must succeed.
func (t *knowerTrial) known(keys []string) []bool {
	t.Helper()
	known, err := t.k.Known(t.Context(), someSource, keys)
	if err != nil || len(known) != len(keys) {
		t.Fatalf("Known: %d of %d keys, %v", len(known), len(keys), err)
	}
	return known
}

// knows requires that of the words of asked, those of want are known.
func (t *knowerTrial) knows(asked, want string) {
	t.Helper()
	var got strings.Builder
	keys := strings.Fields(asked)
	for n, known := range t.known(keys) {
		if known {
			got.WriteString(keys[n] + " ")
		}
	}
	if got.String() != want {
		t.Errorf("of %q %q are known, want %q", asked, got.String(), want)
	}
}
