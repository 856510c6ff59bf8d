package dockerhub_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/webhook"
)

const (
	token    = "n0rthw1nd-token-0123456789abcdef"
	oldToken = "0ld-n0rthw1nd-token-fedcba987654"
)

func source() webhook.Source {
	return dockerhub.Source(webhook.NewSecret(token), webhook.NewSecret(oldToken))
}

// open describes a body as a call with the token does.
func open(t testing.TB, body []byte) *webhook.Delivery {
	t.Helper()
	src := source()
	if err := src.Validate(); err != nil {
		t.Fatal(err)
	}
	d, err := src.Open(httptest.NewRequest(http.MethodPost, "/?token="+token, nil), body)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// stored is d as it comes out of a database: without what Open remembered.
func stored(d *webhook.Delivery) *webhook.Delivery {
	return &webhook.Delivery{UID: d.UID, Source: d.Source, Type: d.Type, OrderingKey: d.OrderingKey, Header: d.Header, Body: d.Body}
}

func TestTypeAndKey(t *testing.T) {
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
		{"no JSON", `{"push_data":`, "dockerhub.push", ""},
		{"nothing", ``, "dockerhub.push", ""},
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

func TestFixturesAreRouted(t *testing.T) {
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

func TestABurstCoalescesAndACallWithoutTagDoesNot(t *testing.T) {
	if got := open(t, fixture(t, "push.2026.documented.json")).Coalesce; got != dockerhub.DefaultCoalesce {
		t.Errorf("got %v, want %v", got, dockerhub.DefaultCoalesce)
	}
	if got := open(t, fixture(t, "push.2015.images-null.json")).Coalesce; got != (webhook.Coalesce{}) {
		t.Errorf("without a tag: got %v, want none", got)
	}
}

func TestOnlyTheLastOfABurstRuns(t *testing.T) {
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
		t.Errorf("%d runs, want 1", runs)
	}
	if left, err := inbox.Claim(t.Context(), webhook.ClaimOptions{N: 10, Lease: 1}); err != nil || len(left) != 0 {
		t.Errorf("%d deliveries left, %v", len(left), err)
	}
}

func TestMalformedBodies(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 20000) + `1` + strings.Repeat(`}`, 20000)
	for _, tc := range []struct{ name, body string }{
		{"no JSON", `{"push_data":{},`},
		{"nothing", ``},
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
			for which, d := range map[string]*webhook.Delivery{"received": d, "stored": stored(d)} {
				if _, err := webhook.Decode[dockerhub.Push](d); !errors.Is(err, webhook.ErrMalformed) {
					t.Errorf("%s: got %v, want ErrMalformed", which, err)
				}
			}
		})
	}
}

func TestInvalidUTF8IsReplacedAndRouted(t *testing.T) {
	d := open(t, []byte("{\"push_data\":{\"tag\":\"1\xff\"},\"repository\":{\"repo_name\":\"a/b\"}}"))
	if d.Type != "dockerhub.push" || d.OrderingKey != "a/b:1\uFFFD" {
		t.Errorf("got %s %q", d.Type, d.OrderingKey)
	}
	if p := decode(t, d.Body); p.Image() != d.OrderingKey || p.Tag().Valid() {
		t.Errorf("image %q, want %q with an invalid tag", p.Image(), d.OrderingKey)
	}
}

func call(target, body string) *http.Request {
	return httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
}

func TestReceiver(t *testing.T) {
	const body = `{"push_data":{"tag":"1"},"repository":{"repo_name":"a/b","full_description":"do not log me"}}`
	large := `{"push_data":{"tag":"1"},"repository":{"repo_name":"a/b","full_description":"` + strings.Repeat("x", 2<<20) + `"}}`
	for _, tc := range []struct {
		name, target, body string
		status             int
		label              string
	}{
		{"the token in the path", "/hooks/dockerhub/" + token, body, 202, "1"},
		{"the old token in the path", "/hooks/dockerhub/" + oldToken, body, 202, "2"},
		{"the token in the query", "/hooks/dockerhub?token=" + token, body, 202, "1"},
		{"the token in the query of a path with another", "/hooks/dockerhub/other?token=" + token, body, 202, "1"},
		{"a README of 2 MiB", "/hooks/dockerhub/" + token, large, 202, "1"},
		{"what it does not know", "/hooks/dockerhub/" + token, `{}`, 202, "1"},
		{"a wrong token in the path", "/hooks/dockerhub/" + token + "0", body, 401, ""},
		{"a wrong token in the query", "/hooks/dockerhub?token=" + token[1:], body, 401, ""},
		{"no token", "/hooks/dockerhub", body, 401, ""},
		{"an empty token", "/hooks/dockerhub?token=", body, 401, ""},
		{"two tokens", "/hooks/dockerhub?token=" + token + "&token=" + token, body, 401, ""},
		{"no JSON", "/hooks/dockerhub/" + token, `do not log me`, 400, "1"},
		{"more than 3 MiB", "/hooks/dockerhub/" + token, strings.Repeat("x", 3<<20+1), 413, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var mux webhook.Mux
			webhook.On(&mux, func(context.Context, *webhook.Event[dockerhub.Push]) error { return nil })
			var got *webhook.Delivery
			rc := webhook.NewReceiver(source(), webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
				got = d
				return mux.Handle(ctx, d)
			}))
			var log bytes.Buffer
			rc.Logger = slog.New(slog.NewTextHandler(&log, nil))
			routes := http.NewServeMux()
			routes.Handle("/hooks/dockerhub/{token}", rc)
			routes.Handle("/hooks/dockerhub", rc)

			w := httptest.NewRecorder()
			routes.ServeHTTP(w, call(tc.target, tc.body))

			if w.Code != tc.status {
				t.Errorf("status %d, want %d; log: %s", w.Code, tc.status, &log)
			}
			if (got != nil) != (tc.label != "") {
				t.Fatalf("delivery %v", got)
			}
			if got != nil && got.KeyLabel != tc.label {
				t.Errorf("key %q, want %q", got.KeyLabel, tc.label)
			}
			if seen := log.String() + w.Body.String() + headerText(got); strings.Contains(seen, "token-") || strings.Contains(seen, "do not log me") {
				t.Errorf("token or body are in log, answer or header: %s", seen)
			}
		})
	}
}

func headerText(d *webhook.Delivery) string {
	if d == nil {
		return ""
	}
	return fmt.Sprint(d.Header)
}

func TestOtherMethodsAreRefused(t *testing.T) {
	rc := webhook.NewReceiver(source(), webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil }))
	rc.Logger = slog.New(slog.DiscardHandler)
	w := httptest.NewRecorder()
	rc.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/?token="+token, nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
		t.Errorf("got %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

func TestBasicSourceAsksForThePassword(t *testing.T) {
	var header http.Header
	rc := webhook.NewReceiver(dockerhub.BasicSource(webhook.NewSecret(token)),
		webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
			header = d.Header
			return nil
		}))
	rc.Logger = slog.New(slog.DiscardHandler)
	w := httptest.NewRecorder()
	rc.ServeHTTP(w, call("/", `{}`))
	if got := w.Header().Get("WWW-Authenticate"); w.Code != 401 || got != `Basic realm="dockerhub"` {
		t.Errorf("got %d, challenge %q", w.Code, got)
	}
	w = httptest.NewRecorder()
	r := call("/", `{}`)
	r.SetBasicAuth("anyone", token)
	rc.ServeHTTP(w, r)
	if w.Code != 202 || header == nil || header.Get("Authorization") != "" {
		t.Errorf("got %d, header %v", w.Code, header)
	}
}

func TestMiddlewareHandsOnWhatIsGenuine(t *testing.T) {
	before := slog.Default() // Middleware logs there
	t.Cleanup(func() { slog.SetDefault(before) })
	slog.SetDefault(slog.New(slog.DiscardHandler))
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, ok := webhook.DeliveryFromContext(r.Context())
		if !ok {
			t.Error("no delivery in the context")
			return
		}
		e, err := webhook.Decode[dockerhub.Push](d)
		if err != nil {
			t.Error(err)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(body, d.Body) {
			t.Errorf("body %s, %v", body, err)
		}
		_, _ = io.WriteString(w, e.Payload.Image())
	})
	routes := http.NewServeMux()
	routes.Handle("/hooks/dockerhub/{token}", dockerhub.Middleware(webhook.NewSecret(token))(next))
	for target, want := range map[string]string{token: "northwind/scale:v2.0.1", "wrong": "Unauthorized\n"} {
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, call("/hooks/dockerhub/"+target, string(fixture(t, "push.2026.documented.json"))))
		if got := w.Body.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestASourceWithoutSecretIsRefused(t *testing.T) {
	for name, src := range map[string]webhook.Source{
		"no token":        dockerhub.Source(),
		"no password":     dockerhub.BasicSource(),
		"an empty token":  dockerhub.Source(webhook.NewSecret(token), webhook.NewSecret("")),
		"a zero password": dockerhub.BasicSource(webhook.Secret{}),
	} {
		if err := src.Validate(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
