package github_test

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
)

// The package comment lists the fields of all payloads except Push and Ping.
func TestPackageCommentListsTheFields(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for event := range decoders {
		if event != "push" && event != "ping" {
			want[event] = fieldsOf(reflect.TypeOf(zeroPayload(t, event)))
		}
	}
	if diff := cmp.Diff(want, fieldTable(string(text))); diff != "" {
		t.Errorf("fields differ (-structs +package comment):\n%s", diff)
	}
}

func zeroPayload(t *testing.T, event string) webhook.Payload {
	t.Helper()
	p, err := decoders[event](&webhook.Delivery{Body: []byte(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// fieldTable returns the table after the heading Payloads by event. An entry is
// a line that begins with the name of an event, and indented lines that
// continue it.
func fieldTable(doc string) map[string]string {
	_, doc, _ = strings.Cut(doc, "// # Payloads")
	table := map[string]string{}
	event := ""
	for line := range strings.Lines(doc) {
		text, ok := strings.CutPrefix(line, "//\t")
		if !ok {
			continue
		}
		if !strings.HasPrefix(text, " ") {
			event, text, _ = strings.Cut(text, " ")
		}
		table[event] = strings.TrimSpace(table[event] + " " + strings.TrimSpace(text))
	}
	return table
}

// whole has the types that keep all their fields. The table does not list
// these.
var whole = map[reflect.Type]bool{
	reflect.TypeFor[github.User]():            true,
	reflect.TypeFor[github.Repository]():      true,
	reflect.TypeFor[github.Author]():          true,
	reflect.TypeFor[github.Label]():           true,
	reflect.TypeFor[github.PullRequestLink](): true,
}

// fieldsOf returns the fields of a struct in the form "id, commit{sha, url}".
func fieldsOf(typ reflect.Type) string {
	var list []string
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Type == reflect.TypeFor[github.Origin]() {
			continue
		}
		inner := f.Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice && inner != reflect.TypeFor[json.RawMessage]() {
			inner = inner.Elem()
		}
		// The check run and workflow run of a deployment have their own
		// entries.
		listed := typ == reflect.TypeFor[github.DeploymentStatus]() && strings.HasPrefix(inner.PkgPath(), typ.PkgPath()) && i > 2
		if inner.Kind() == reflect.Struct && inner.PkgPath() == typ.PkgPath() && !whole[inner] && !listed {
			name += "{" + fieldsOf(inner) + "}"
		}
		list = append(list, name)
	}
	return strings.Join(list, ", ")
}
