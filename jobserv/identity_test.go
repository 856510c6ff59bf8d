package jobserv_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestEveryDocumentedBodyRoutesToItsTypeWholeAndStripped(t *testing.T) {
	for name, body := range builds(t) {
		t.Run(name, func(t *testing.T) {
			var members map[string]json.RawMessage
			if err := json.Unmarshal(body, &members); err != nil {
				t.Fatal(err)
			}
			whole := open(t, body)
			if whole.Type != "jobserv.build" || whole.OrderingKey == "" {
				t.Fatalf("whole: got %s, %q", whole.Type, whole.OrderingKey)
			}
			check := func(without string, left map[string]json.RawMessage) {
				t.Helper()
				stripped, err := json.Marshal(left)
				if err != nil {
					t.Fatal(err)
				}
				d := open(t, stripped)
				marked := left["completed"] != nil
				if d.Type != whole.Type || d.OrderingKey != whole.OrderingKey || (len(d.DedupKeys) == 1) != marked {
					t.Errorf("without %s: got %s, %q and %d dedup keys", without, d.Type, d.OrderingKey, len(d.DedupKeys))
				}
				if _, err := webhook.Decode[jobserv.Build](d); err != nil {
					t.Errorf("without %s: %v", without, err)
				}
			}
			for member := range members {
				left := maps.Clone(members)
				delete(left, member)
				if member != "url" { // the only place of the name since 2021-03
					check(member, left)
				}
			}
			maps.DeleteFunc(members, func(m string, _ json.RawMessage) bool { return !slices.Contains([]string{"url", "build_url"}, m) })
			check("all that can be missing", members)
		})
	}
}

func TestARerunOfABuildOfTheFirstShapeIsNoDuplicate(t *testing.T) {
	var inbox webhook.MemInbox
	for range 2 { // nothing in the body tells the second from the first
		if err := inbox.Put(t.Context(), open(t, fixture(t, "build.first-shape.json"))); err != nil {
			t.Error(err)
		}
	}
}
