package jobserv_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestTypeAndKeys(t *testing.T) {
	for _, tc := range []struct {
		file, key string
		dedupKeys int
	}{
		{"build.detailed.json", "acme/lmp", 2},
		{"build.minimal.json", "demo", 2},
		{"build.rerun.json", "acme/lmp", 2},
		{"build.not-detailed.json", "acme/lmp", 2},
		{"build.first-shape.json", "acme/lmp", 0},
		{"build.all-fields.json", "acme/lmp", 2},
	} {
		t.Run(tc.file, func(t *testing.T) {
			d := open(t, fixture(t, tc.file))
			if d.Source != "jobserv" || d.Type != "jobserv.build" || d.OrderingKey != tc.key || d.ID != "" {
				t.Errorf("got %s %s %q %q, want jobserv jobserv.build %q and no id", d.Source, d.Type, d.OrderingKey, d.ID, tc.key)
			}
			if len(d.DedupKeys) != tc.dedupKeys {
				t.Errorf("got %d dedup keys, want %d", len(d.DedupKeys), tc.dedupKeys)
			}
		})
	}
}

func TestRepeatedAttemptIsADuplicateAndRerunIsNot(t *testing.T) {
	var inbox webhook.MemInbox
	put := webhook.Store(&inbox)
	if err := put.Handle(t.Context(), open(t, fixture(t, "build.detailed.json"))); err != nil {
		t.Fatal(err)
	}
	err := put.Handle(t.Context(), open(t, fixture(t, "build.detailed.json")))
	if !errors.Is(err, webhook.ErrDuplicate) {
		t.Errorf("the same bytes again: got %v, want ErrDuplicate", err)
	}
	if err := put.Handle(t.Context(), open(t, fixture(t, "build.rerun.json"))); err != nil {
		t.Errorf("the same build after a rerun: got %v, want it stored", err)
	}
}

func TestProjectIsTheOrderingKey(t *testing.T) {
	for _, tc := range []struct{ name, body, want string }{
		{"one segment", `{"url":"https://h/projects/demo/builds/1/"}`, "demo"},
		{"two segments", `{"url":"https://h/projects/acme/lmp/builds/1/"}`, "acme/lmp"},
		{"a path before it", `{"url":"https://h/api/v1/projects/acme/lmp/builds/1/"}`, "acme/lmp"},
		{"no slash at the end", `{"url":"https://h/projects/demo/builds/1"}`, "demo"},
		{"a path alone", `{"url":"/projects/demo/builds/1/"}`, "demo"},
		{"a project with a segment named builds", `{"url":"https://h/projects/a/builds/b/builds/1/"}`, "a/builds/b"},
		{"a percent-encoded name", `{"url":"https://h/projects/caf%C3%A9/builds/1/"}`, "caf\u00e9"},
		{"an escaped member name", `{"\u0075rl":"https://h/projects/demo/builds/1/"}`, "demo"},
		{"the name of the first shape", `{"project_name":"acme/lmp"}`, "acme/lmp"},
		{"the URL of the first shape", `{"build_url":"https://h/projects/demo/builds/1/"}`, "demo"},
		{"url and project_name", `{"project_name":"b","url":"https://h/projects/a/builds/1/"}`, "a"},
		{"a URL of null", `{"url":null,"project_name":"b"}`, "b"},
		{"no project", `{"url":"https://h/projects//builds/1/"}`, ""},
		{"no build", `{"url":"https://h/projects/demo/"}`, ""},
		{"an invalid URL", `{"url":"https://h:port/projects/demo/builds/1/"}`, ""},
		{"the path in the query", `{"url":"https://h/?x=/projects/demo/builds/1/"}`, ""},
		{"an empty object", `{}`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := open(t, []byte(tc.body))
			if d.OrderingKey != tc.want {
				t.Errorf("ordering key is %q, want %q", d.OrderingKey, tc.want)
			}
			e, err := webhook.Decode[jobserv.Build](d)
			if err != nil {
				t.Fatal(err)
			}
			if got := e.Payload.Project(); got != tc.want {
				t.Errorf("Project returns %q, want %q", got, tc.want)
			}
		})
	}
}

func TestMalformedBodies(t *testing.T) {
	for _, tc := range []struct{ name, body string }{
		{"url twice", `{"url":"https://h/projects/a/builds/1/","url":"https://h/projects/b/builds/1/"}`},
		{"url in another case", `{"url":"https://h/projects/a/builds/1/","URL":"https://h/projects/b/builds/1/"}`},
		{"url in another case alone", `{"Url":"https://h/projects/a/builds/1/"}`},
		{"url twice, once escaped", `{"url":"a","ur\u006c":"b"}`},
		{"project_name twice", `{"project_name":"a","project_name":"b"}`},
		{"project_name in another case", `{"Project_Name":"a"}`},
		{"build_url twice", `{"build_url":"a","build_url":"a"}`},
		{"an array", `[]`},
		{"null", `null`},
		{"text", `"url"`},
		{"cut short", `{"url":"https://h/projects/a/builds/1/"`},
		{"an empty body", ``},
		{"two documents", `{}{}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := open(t, []byte(tc.body))
			if d.Type != "jobserv.build" || d.OrderingKey != "" {
				t.Errorf("got type %q and key %q, want jobserv.build and none", d.Type, d.OrderingKey)
			}
			if _, err := webhook.Decode[jobserv.Build](d); !errors.Is(err, webhook.ErrMalformed) {
				t.Errorf("as received: got %v, want ErrMalformed", err)
			}
			stored := &webhook.Delivery{Source: d.Source, Type: d.Type, Header: d.Header, Body: d.Body}
			if _, err := webhook.Decode[jobserv.Build](stored); !errors.Is(err, webhook.ErrMalformed) {
				t.Errorf("from storage: got %v, want ErrMalformed", err)
			}
		})
	}
}

func TestTypeDoesNotDependOnOptionalMembers(t *testing.T) {
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
				completed := left["completed"] != nil
				if d.Type != whole.Type || d.OrderingKey != whole.OrderingKey || len(d.DedupKeys) != map[bool]int{true: 2}[completed] {
					t.Errorf("without %s: got %s, %q and %d dedup keys", without, d.Type, d.OrderingKey, len(d.DedupKeys))
				}
				if _, err := webhook.Decode[jobserv.Build](d); err != nil {
					t.Errorf("without %s: %v", without, err)
				}
			}
			for member := range members {
				left := maps.Clone(members)
				delete(left, member)
				if member != "url" { // since 2021-03 only url contains the project
					check(member, left)
				}
			}
			maps.DeleteFunc(members, func(m string, _ json.RawMessage) bool { return !slices.Contains([]string{"url", "build_url"}, m) })
			check("all optional members", members)
		})
	}
}

func TestRerunOfTheFirstShapeIsStored(t *testing.T) {
	var inbox webhook.MemInbox
	for range 2 { // the two bodies have the same bytes
		if err := inbox.Put(t.Context(), open(t, fixture(t, "build.first-shape.json"))); err != nil {
			t.Error(err)
		}
	}
}
