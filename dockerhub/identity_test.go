package dockerhub_test

import (
	"encoding/json"
	"maps"
	"testing"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestEveryDocumentedBodyRoutesToItsTypeWholeAndStripped(t *testing.T) {
	for name, body := range pushes(t) {
		t.Run(name, func(t *testing.T) {
			whole := open(t, body)
			if whole.Type != "dockerhub.push" || (whole.OrderingKey == "") != (decode(t, body).Tag() == "") {
				t.Fatalf("whole: got %s, %q", whole.Type, whole.OrderingKey)
			}
			check := func(without string, left map[string]any, key string) {
				t.Helper()
				stripped, err := json.Marshal(left)
				if err != nil {
					t.Fatal(err)
				}
				d := open(t, stripped)
				if d.Type != whole.Type || d.OrderingKey != key || len(d.DedupKeys) != 0 {
					t.Errorf("without %s: got %s, %q and %d dedup keys, want %q and none", without, d.Type, d.OrderingKey, len(d.DedupKeys), key)
				}
				if _, err := webhook.Decode[dockerhub.Push](d); err != nil {
					t.Errorf("without %s: %v", without, err)
				}
			}
			// The object push_data and repository.repo_name are never missing. Without
			// a tag there is no key.
			bare := map[string]any{"push_data": map[string]any{}, "repository": map[string]any{"repo_name": asMap(t, body)["repository"].(map[string]any)["repo_name"]}}
			check("all that can be missing", bare, "")
			for member, value := range asMap(t, body) {
				nested, isObject := value.(map[string]any)
				if !isObject || member == "dhi_metadata" {
					left := asMap(t, body)
					delete(left, member)
					check(member, left, whole.OrderingKey)
					continue
				}
				for name := range nested {
					key := whole.OrderingKey
					switch name {
					case "repo_name":
						continue
					case "tag":
						key = ""
					}
					left := maps.Clone(nested)
					delete(left, name)
					all := asMap(t, body)
					all[member] = left
					check(member+"."+name, all, key)
				}
			}
		})
	}
}

func TestTagsOfOtherCaseAreOtherImages(t *testing.T) {
	const body = `{"push_data":{"tag":"RC"},"repository":{"repo_name":"acme/app"}}`
	if got := open(t, []byte(body)).OrderingKey; got != "acme/app:RC" {
		t.Errorf("got %q: a registry has RC and rc as two tags", got)
	}
}
