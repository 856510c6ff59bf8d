package dockerhub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/internal/samples"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestTypeAndOrderingKey(t *testing.T) {
	for _, tc := range []struct{ name, body, typ, key string }{
		{"a push", `{"push_data":{"tag":"1.0.0"},"repository":{"repo_name":"a/b"}}`, "dockerhub.push", "a/b:1.0.0"},
		{"an escaped name", `{"push_data":{"tag":"\u0031"},"repository":{"repo_name":"a\/b"}}`, "dockerhub.push", "a/b:1"},
		{"no tag", `{"push_data":{},"repository":{"repo_name":"a/b"}}`, "dockerhub.push", ""},
		{"a tag of null", `{"push_data":{"tag":null},"repository":{"repo_name":"a/b"}}`, "dockerhub.push", ""},
		{"an empty tag", `{"push_data":{"tag":""},"repository":{"repo_name":"a/b"}}`, "dockerhub.push", ""},
		{"an empty repository name", `{"push_data":{"tag":"1"},"repository":{"repo_name":""}}`, "dockerhub.push", ""},
		{"a numeric tag", `{"push_data":{"tag":1},"repository":{"repo_name":"a/b"}}`, "dockerhub.push", ""},
		{"no push_data", `{"repository":{"repo_name":"a/b"}}`, "dockerhub.unknown", ""},
		{"push_data of null", `{"push_data":null,"repository":{"repo_name":"a/b"}}`, "dockerhub.unknown", ""},
		{"push_data a list", `{"push_data":[],"repository":{"repo_name":"a/b"}}`, "dockerhub.unknown", ""},
		{"no repository", `{"push_data":{"tag":"1"}}`, "dockerhub.unknown", ""},
		{"a numeric repository name", `{"push_data":{"tag":"1"},"repository":{"repo_name":1}}`, "dockerhub.unknown", ""},
		{"a list", `[]`, "dockerhub.unknown", ""},
		{"null", `null`, "dockerhub.unknown", ""},
		{"not JSON", `{"push_data":`, "dockerhub.push", ""},
		{"an empty body", ``, "dockerhub.push", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := open(t, []byte(tc.body))
			got := []string{d.Type, d.OrderingKey, d.ID, fmt.Sprint(len(d.DedupKeys))}
			if diff := cmp.Diff([]string{tc.typ, tc.key, "", "0"}, got); diff != "" {
				t.Errorf("type, key, id and dedup keys (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTypeOfFixtures(t *testing.T) {
	known := pushes(t)
	for name, body := range fixtures(t) {
		d, want := open(t, body), "dockerhub.unknown"
		if _, ok := known[name]; ok {
			want = "dockerhub.push"
		}
		if d.Type != want {
			t.Errorf("%s: got %s, want %s", name, d.Type, want)
		}
	}
}

func TestOnlyDeliveriesWithATagCoalesce(t *testing.T) {
	if got := open(t, fixture(t, "push.2026.documented.json")).Coalesce; got != dockerhub.DefaultCoalesce {
		t.Errorf("got %v, want %v", got, dockerhub.DefaultCoalesce)
	}
	if got := open(t, fixture(t, "push.2015.images-null.json")).Coalesce; got != (webhook.Coalesce{}) {
		t.Errorf("without a tag: got %v, want none", got)
	}
}

func TestOnlyTheLastDeliveryOfABurstRuns(t *testing.T) {
	src := source()
	src.Coalesce = webhook.Coalesce{Quiet: 1}
	var inbox webhook.MemInbox
	rc := webhook.NewReceiver(src, webhook.Store(&inbox))
	rc.Logger = slog.New(slog.DiscardHandler)
	for range 6 {
		w := httptest.NewRecorder()
		rc.ServeHTTP(w, call("/?token="+token, string(fixture(t, "push.2026.documented.json"))))
		if w.Code != http.StatusAccepted || strings.Contains(w.Body.String(), "duplicate") {
			t.Fatalf("got %d %s, want 202 and no duplicate", w.Code, w.Body)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var mux webhook.Mux
	runs := 0
	webhook.On(&mux, func(context.Context, *webhook.Event[dockerhub.Push]) error {
		runs++
		cancel()
		return nil
	})
	if err := webhook.NewWorker(&inbox, &mux).Run(ctx); err != nil {
		t.Fatal(err)
	}
	if runs != 1 {
		t.Errorf("handler ran %d times, want 1", runs)
	}
	if left, err := inbox.Claim(t.Context(), webhook.ClaimOptions{N: 10, Lease: 1}); err != nil || len(left) != 0 {
		t.Errorf("%d deliveries left, %v", len(left), err)
	}
}

func TestMalformedBodies(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 20000) + `1` + strings.Repeat(`}`, 20000)
	for _, tc := range []struct{ name, body string }{
		{"not JSON", `{"push_data":{},`},
		{"an empty body", ``},
		{"too deep", `{"push_data":{},"repository":{"repo_name":"a/b"},"x":` + deep + `}`},
		{"push_data twice", `{"push_data":{},"push_data":{"tag":"1"},"repository":{"repo_name":"a/b"}}`},
		{"repository twice", `{"push_data":{},"repository":{"repo_name":"a/b"},"repository":{"repo_name":"a/c"}}`},
		{"repo_name twice", `{"push_data":{},"repository":{"repo_name":"a/b","repo_name":"a/c"}}`},
		{"repo_name in another case", `{"push_data":{},"repository":{"repo_name":"a/b","Repo_Name":"a/c"}}`},
		{"repo_name in another case alone", `{"push_data":{},"repository":{"REPO_NAME":"a/c"}}`},
		{"tag twice, once escaped", `{"push_data":{"tag":"1","\u0074ag":"2"},"repository":{"repo_name":"a/b"}}`},
		{"a numeric tag", `{"push_data":{"tag":1},"repository":{"repo_name":"a/b"}}`},
		{"images not a list", `{"push_data":{"images":"x"},"repository":{"repo_name":"a/b"}}`},
		{"pushed_at an object", `{"push_data":{"pushed_at":{}},"repository":{"repo_name":"a/b"}}`},
		{"star_count as text", `{"push_data":{},"repository":{"repo_name":"a/b","star_count":"many"}}`},
		{"comment_count a list", `{"push_data":{},"repository":{"repo_name":"a/b","comment_count":[]}}`},
		{"is_private a number", `{"push_data":{},"repository":{"repo_name":"a/b","is_private":1}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := open(t, []byte(tc.body))
			if d.Type != "dockerhub.push" {
				t.Errorf("type %s, want dockerhub.push", d.Type)
			}
			for which, d := range map[string]*webhook.Delivery{"received": d, "stored": samples.Stored(d)} {
				if _, err := webhook.Decode[dockerhub.Push](d); !errors.Is(err, webhook.ErrMalformed) {
					t.Errorf("%s: got %v, want ErrMalformed", which, err)
				}
			}
		})
	}
}

func TestInvalidUTF8IsReplacedInTheOrderingKey(t *testing.T) {
	d := open(t, []byte("{\"push_data\":{\"tag\":\"1\xff\"},\"repository\":{\"repo_name\":\"a/b\"}}"))
	if d.Type != "dockerhub.push" || d.OrderingKey != "a/b:1\uFFFD" {
		t.Errorf("got %s %q", d.Type, d.OrderingKey)
	}
	if p := decode(t, d.Body); p.Image() != d.OrderingKey || p.Tag().Valid() {
		t.Errorf("image %q, want %q with an invalid tag", p.Image(), d.OrderingKey)
	}
}

func TestTypeDoesNotDependOnOptionalFields(t *testing.T) {
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
			// Every body has an object push_data and a repository.repo_name. A
			// body without a tag has no ordering key.
			bare := map[string]any{"push_data": map[string]any{}, "repository": map[string]any{"repo_name": asMap(t, body)["repository"].(map[string]any)["repo_name"]}}
			check("all optional fields", bare, "")
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

func TestTagsThatDifferInCaseHaveDifferentOrderingKeys(t *testing.T) {
	const body = `{"push_data":{"tag":"RC"},"repository":{"repo_name":"acme/app"}}`
	if got := open(t, []byte(body)).OrderingKey; got != "acme/app:RC" {
		t.Errorf("got %q, want the tag unchanged: RC and rc are different tags", got)
	}
}
