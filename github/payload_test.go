package github_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/internal/samples"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestFixturesDecode(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range fixtures(t) {
		decode := decoders[f.event]
		if decode == nil {
			continue // a dispatch, which has no payload type
		}
		seen[f.event] = true
		t.Run(f.name, func(t *testing.T) {
			d := open(t, newRequest(f.event, f.body), f.body)
			now, err := decode(d)
			if err != nil {
				t.Fatal(err)
			}
			later, err := decode(samples.Stored(d))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(now, later, exportAll); diff != "" {
				t.Fatalf("later (-want +got):\n%s", diff)
			}
			if d.Type != "github."+f.event {
				t.Fatalf("d.Type = %q, want %q", d.Type, "github."+f.event)
			}
			if got := now.EventType(); got != d.Type {
				t.Fatalf("now.EventType() = %q, want %q", got, d.Type)
			}
		})
	}
	if len(seen) != len(decoders) {
		t.Fatalf("each payload has a fixture: len(seen) = %d, want %d: %v", len(seen), len(decoders), seen)
	}
}

// exportAll lets cmp compare unexported fields, such as those of wire's types.
var exportAll = cmp.Exporter(func(reflect.Type) bool { return true })

// A stored delivery is checked again when it is decoded.
func TestPayloadsWithAnOrderingKeyAreCheckers(t *testing.T) {
	for event := range decoders {
		p := zeroPayload(t, event)
		c, ok := p.(webhook.Checker)
		if event == "ping" || event == "registry_package" {
			if ok {
				t.Fatalf("%v: ok is true, want false", event)
			}
			continue
		}
		if !ok {
			t.Fatalf("%v", event)
		}
		if err := c.Check([]byte(`{}`)); err != nil {
			t.Fatalf("%v: %v", event, err)
		}
		if err := c.Check([]byte(`{`)); err == nil {
			t.Fatalf("%v: c.Check(...) is nil, want an error", event)
		}
		if err := c.Check([]byte(`{"repository":{"full_name":"o/r","FULL_NAME":"o/s"}}`)); err == nil {
			t.Fatalf("%v: c.Check(...) is nil, want an error", event)
		}
	}
}

func TestPushAndPingRoundTripKeepsEveryField(t *testing.T) {
	for _, f := range fixtures(t) {
		if f.event != "push" && f.event != "ping" {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			p, err := decoders[f.event](open(t, newRequest(f.event, f.body), f.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(generic(t, f.body), generic(t, encode(t, p))); diff != "" {
				t.Errorf("decoded and encoded again (-sent +got):\n%s", diff)
			}
		})
	}
}

// The other payloads encode the fields that they have unchanged. A field that
// was not sent is encoded as zero or omitted.
func TestOtherPayloadsRoundTripKeepsTheirFields(t *testing.T) {
	for _, f := range fixtures(t) {
		decode := decoders[f.event]
		if decode == nil {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			p, err := decode(open(t, newRequest(f.event, f.body), f.body))
			if err != nil {
				t.Fatal(err)
			}
			kept := 0
			compareKept(t, "", generic(t, f.body), generic(t, encode(t, p)), &kept)
			if kept <= 15 {
				t.Fatalf("kept = %d, want more than 15", kept)
			}
		})
	}
}

// The table in the package comment does not list the fields of these types,
// because they keep all of them. The test of Push covers users, repositories
// and authors.
func TestTypesWithoutFieldsInTheTableKeepEveryField(t *testing.T) {
	for _, c := range []struct{ fixture, event, object, list string }{
		{"pull_request.synchronize-fork", "pull_request", "pull_request", "labels"},
		{"workflow_run.completed", "workflow_run", "workflow_run", "pull_requests"},
		{"check_run.completed", "check_run", "check_run", "pull_requests"},
	} {
		p, err := decoders[c.event](&webhook.Delivery{Source: "github", Body: own(t, c.fixture)})
		if err != nil {
			t.Fatal(err)
		}
		sent := generic(t, own(t, c.fixture))[c.object].(map[string]any)[c.list]
		got := generic(t, encode(t, p))[c.object].(map[string]any)[c.list]
		if sent == nil {
			t.Fatalf("sent = %v, want not nil", sent)
		}
		if diff := cmp.Diff(sent, got); diff != "" {
			t.Fatalf("got (-want +got):\n%s", diff)
		}
	}
}

// compareKept compares the encoded fields with the sent ones and counts them.
func compareKept(t *testing.T, path string, sent, got any, kept *int) {
	t.Helper()
	switch got := got.(type) {
	case map[string]any:
		if sent, ok := sent.(map[string]any); ok {
			for name, v := range got {
				was, there := sent[name]
				if !there && isZeroJSON(v) {
					continue
				}
				compareKept(t, path+"."+name, was, v, kept)
			}
			return
		}
	case []any:
		if sent, ok := sent.([]any); ok && len(sent) == len(got) {
			for i := range got {
				compareKept(t, fmt.Sprintf("%s[%d]", path, i), sent[i], got[i], kept)
			}
			return
		}
	default:
		*kept++
	}
	if diff := cmp.Diff(sent, got); diff != "" {
		t.Errorf("%s (-sent +got):\n%s", path, diff)
	}
}

func isZeroJSON(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case json.Number:
		return v == "0"
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, inner := range v {
			if !isZeroJSON(inner) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// checkSecondEncoding checks that a payload that is encoded, decoded and
// encoded again gives the same text.
func checkSecondEncoding(tb testing.TB, event string, p webhook.Payload) {
	tb.Helper()
	once := encode(tb, p)
	d := &webhook.Delivery{Source: "github", Type: p.EventType(), Body: once}
	again, err := decoders[event](d)
	if err != nil {
		tb.Fatalf("the encoded payload does not decode: %v\n%s", err, once)
	}
	if twice := encode(tb, again); !bytes.Equal(once, twice) {
		tb.Fatalf("encoded differently the second time:\n%s\n%s", once, twice)
	}
}

func TestSecondEncodingIsEqual(t *testing.T) {
	for _, f := range fixtures(t) {
		decode := decoders[f.event]
		if decode == nil {
			continue
		}
		p, err := decode(open(t, newRequest(f.event, f.body), f.body))
		if err != nil {
			t.Fatalf("%v: %v", f.name, err)
		}
		checkSecondEncoding(t, f.event, p)
	}
	for event, decode := range decoders {
		p, err := decode(&webhook.Delivery{Source: "github", Body: []byte(`{}`)})
		if err != nil {
			t.Fatalf("%v: %v", event, err)
		}
		checkSecondEncoding(t, event, p)
	}
}
