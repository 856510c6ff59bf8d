package kudu_test

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

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

const (
	token    = "sc4le-token-0123456789abcdef0123"
	oldToken = "0ld-sc4le-token-3210fedcba987654"
)

func source() webhook.Source {
	return kudu.Source(webhook.NewSecret(token), webhook.NewSecret(oldToken))
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

func TestTypeOrderingKeyAndDedupKey(t *testing.T) {
	const (
		deployment, job, unknown = "kudu.PostDeployment", "kudu.TriggeredJobFinished", "kudu.unknown"
		run                      = `"url":"https://s.scm.example/api/triggeredwebjobs/j/history/1","job_name":"j"`
	)
	for _, tc := range []struct{ name, body, typ, key, mark string }{
		{"a deployment", `{"id":"1","status":"failed","endTime":"t","siteName":"s"}`, deployment, "s", deployment + " s 1 failed t"},
		{"a deployment in snake_case", `{"id":"1","status":"failed","end_time":"t","site_name":"s"}`, deployment, "s", deployment + " s 1 failed t"},
		{"a deployment with a numeric status", `{"id":"1","status":3,"endTime":"t","siteName":"s"}`, deployment, "s", deployment + " s 1 failed t"},
		{"a status with a capital", `{"id":"1","status":"Failed","endTime":"t","siteName":"s"}`, deployment, "s", deployment + " s 1 failed t"},
		{"no status", `{"id":"1","endTime":"t","siteName":"s"}`, deployment, "s", deployment + " s 1 pending t"},
		{"a status of null", `{"id":"1","status":null,"endTime":"t","siteName":"s"}`, deployment, "s", deployment + " s 1 pending t"},
		{"a deployment to a slot", `{"id":"1","endTime":"t","siteName":"s","hostName":"h"}`, deployment, "h", deployment + " h 1 pending t"},
		{"a slot in snake_case", `{"id":"1","end_time":"t","site_name":"s","host_name":"h"}`, deployment, "h", deployment + " h 1 pending t"},
		{"a host with capitals", `{"id":"1","endTime":"t","siteName":"S","hostName":"App.SCM.example"}`, deployment, "app.scm.example", deployment + " app.scm.example 1 pending t"},
		{"a site with capitals", `{"id":"1","endTime":"t","siteName":"App"}`, deployment, "app", deployment + " app 1 pending t"},
		{"an empty host", `{"id":"1","endTime":"t","siteName":"s","hostName":""}`, deployment, "s", deployment + " s 1 pending t"},
		{"no site", `{"id":"1","status":"success","end_time":"t"}`, deployment, "", deployment + "  1 success t"},
		{"no site and no end", `{"id":"1","status":"building"}`, deployment, "", ""},
		{"no site and a numeric status", `{"id":"1","status":0}`, deployment, "", ""},
		{"an author's address alone", `{"author_email":"a@example.com"}`, deployment, "", ""},
		{"a received time alone", `{"receivedTime":"t"}`, deployment, "", ""},
		{"a received time alone in snake_case", `{"received_time":"t"}`, deployment, "", ""},
		{"no id", `{"endTime":"t","siteName":"s"}`, deployment, "s", ""},
		{"an empty id", `{"id":"","endTime":"t","siteName":"s"}`, deployment, "s", ""},
		{"no end", `{"id":"1","siteName":"s"}`, deployment, "s", ""},
		{"an end of null", `{"id":"1","endTime":null,"siteName":"s"}`, deployment, "s", ""},
		{"an end that never was", `{"id":"1","endTime":"0001-01-01T00:00:00","siteName":"s"}`, deployment, "s", ""},
		{"an end that never was, with zone", `{"id":"1","endTime":"0001-01-01T00:00:00Z","siteName":"s"}`, deployment, "s", ""},
		{"a numeric site", `{"id":"1","siteName":1}`, deployment, "", ""},
		{"a job", `{"id":"1","status":"Failed","end_time":"t",` + run + `}`, job, "j", job + " j s.scm.example 1 failed t"},
		{"a job with capitals in its host", `{"id":"1","status":"Failed","end_time":"t","url":"https://S.scm.example/x","job_name":"j"}`, job, "j", job + " j s.scm.example 1 failed t"},
		{"a job with capitals in its name", `{"id":"1","status":"Failed","end_time":"t","job_name":"J"}`, job, "j", job + " j  1 failed t"},
		{"a job without end", `{"id":"1",` + run + `}`, job, "j", ""},
		{"a job with the end of a deployment", `{"id":"1","endTime":"t",` + run + `}`, job, "j", ""},
		{"a job without URL", `{"id":"1","status":"Failed","end_time":"t","job_name":"j"}`, job, "j", job + " j  1 failed t"},
		{"a job with the URL of its output", `{"id":"1","status":"Failed","end_time":"t","output_url":"https://s.scm.example/x","job_name":"j"}`, job, "j", job + " j s.scm.example 1 failed t"},
		{"a job of a site", `{"siteName":"s",` + run + `}`, job, "j", ""},
		{"a job of a numeric name", `{"job_name":1}`, job, "", ""},
		{"a job of no name", `{"id":"1","status":"Failed","end_time":"t","duration":"00:00:01"}`, job, "", ""},
		{"a job that has only the name of its run", `{"id":"1","name":"1","status":"Failed"}`, job, "", ""},
		{"a job name of null", `{"job_name":null,"siteName":"s"}`, deployment, "s", ""},
		{"a deployment with a duration", `{"id":"1","siteName":"s","duration":"d"}`, deployment, "s", ""},
		{"neither", `{"id":"1","endTime":"t"}`, unknown, "", ""},
		{"a numeric id", `{"id":1,"status":"success"}`, unknown, "", ""},
		{"a status of true", `{"id":"1","status":true}`, unknown, "", ""},
		{"a duration of something else", `{"duration":"00:00:01"}`, unknown, "", ""},
		{"a name that is not the id", `{"id":"1","name":"2"}`, unknown, "", ""},
		{"both of null", `{"siteName":null,"receivedTime":null}`, unknown, "", ""},
		{"a list", `[{"siteName":"s"}]`, unknown, "", ""},
		{"null", `null`, unknown, "", ""},
		{"no JSON", `{"siteName":`, deployment, "", ""},
		{"no JSON, of a job", `{"job_name":`, job, "", ""},
		{"nothing", ``, deployment, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := open(t, []byte(tc.body))
			got := []string{d.Type, d.OrderingKey, strings.Join(d.DedupKeys, "|"), d.ID}
			if diff := cmp.Diff([]string{tc.typ, tc.key, tc.mark, ""}, got); diff != "" {
				t.Errorf("type, key, dedup key and id (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFixturesAreRouted(t *testing.T) {
	for name, body := range fixtures(t) {
		if got, want := open(t, body).Type, typeOf(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestASecondCallForTheSameEndIsADuplicateAndARedeploymentIsNot(t *testing.T) {
	var inbox webhook.MemInbox
	first := string(fixture(t, "deployment.camel.all-fields.json"))
	again := strings.Replace(first, `"endTime": "2026-03-04T05:07:00Z"`, `"endTime": "2026-03-04T06:00:00Z"`, 1)
	elsewhere := strings.Replace(first, "scale-staging.scm", "scale.scm", 1)
	for _, tc := range []struct {
		body      string
		duplicate bool
	}{{first, false}, {first, true}, {again, false}, {elsewhere, false}} {
		err := inbox.Put(t.Context(), open(t, []byte(tc.body)))
		if errors.Is(err, webhook.ErrDuplicate) != tc.duplicate || !tc.duplicate && err != nil {
			t.Errorf("got %v, want duplicate %v", err, tc.duplicate)
		}
	}
}

func TestMalformedBodies(t *testing.T) {
	deep := strings.Repeat(`[`, 20000) + strings.Repeat(`]`, 20000)
	for _, tc := range []struct{ name, body string }{
		{"no JSON", `{"siteName":"s",`},
		{"nothing", ``},
		{"too deep", `{"siteName":"s","x":` + deep + `}`},
		{"a site twice", `{"siteName":"s","siteName":"t"}`},
		{"a site in two spellings", `{"siteName":"s","site_name":"s"}`},
		{"a site in another case", `{"siteName":"s","SiteName":"t"}`},
		{"a site in another case alone", `{"SITENAME":"t"}`},
		{"a site twice, once escaped", `{"siteName":"s","s\u0069teName":"t"}`},
		{"a field that routing does not read, twice", `{"siteName":"s","author":"a","author":"b"}`},
		{"a flag in two spellings", `{"siteName":"s","is_temp":true,"isTemporary":false}`},
		{"a flag in two spellings without code behind", `{"siteName":"s","is_temp":true,"is_temporary":true}`},
		{"a null in two spellings", `{"siteName":"s","endTime":null,"end_time":null}`},
		{"a numeric site", `{"siteName":1}`},
		{"a numeric author", `{"siteName":"s","author":1}`},
		{"a status of true", `{"siteName":"s","status":true}`},
		{"a status that is an object", `{"siteName":"s","status":{}}`},
		{"complete as text", `{"siteName":"s","complete":"true"}`},
		{"complete as a number", `{"siteName":"s","complete":1}`},
		{"a time that is a list", `{"siteName":"s","endTime":[]}`},
		{"a job name twice", `{"job_name":"j","job_name":"k"}`},
		{"a job name in another case", `{"job_name":"j","Job_Name":"k"}`},
		{"an end in two spellings, of a job", `{"job_name":"j","end_time":"t","endTime":"u"}`},
		{"a numeric job name", `{"job_name":1}`},
		{"a numeric duration", `{"job_name":"j","duration":1}`},
		{"a job's status that is an object", `{"job_name":"j","status":{}}`},
		{"a job's time that is true", `{"job_name":"j","end_time":true}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := open(t, []byte(tc.body))
			for which, d := range map[string]*webhook.Delivery{"received": d, "stored": stored(d)} {
				if err := decodeByType(d); !errors.Is(err, webhook.ErrMalformed) {
					t.Errorf("%s as %s: got %v, want ErrMalformed", which, d.Type, err)
				}
			}
		})
	}
}

func decodeByType(d *webhook.Delivery) error {
	var err error
	switch d.Type {
	case "kudu.PostDeployment":
		_, err = webhook.Decode[kudu.Deployment](d)
	case "kudu.TriggeredJobFinished":
		_, err = webhook.Decode[kudu.TriggeredJobRun](d)
	}
	return err
}

func TestInvalidUTF8IsReplacedAndRouted(t *testing.T) {
	d := open(t, []byte("{\"siteName\":\"s\xff\"}"))
	if d.OrderingKey != "s\uFFFD" {
		t.Errorf("key %q", d.OrderingKey)
	}
	if got := decode[kudu.Deployment](t, d.Body).Site(); got != d.OrderingKey {
		t.Errorf("site %q, want %q", got, d.OrderingKey)
	}
}

func call(target, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	return r
}

func TestReceiver(t *testing.T) {
	const body = `{"siteName":"s","message":"do not log me"}`
	for _, tc := range []struct {
		name, target, body string
		status             int
		label              string
	}{
		{"the token in the path", "/hooks/kudu/" + token, body, 202, "1"},
		{"the old token in the path", "/hooks/kudu/" + oldToken, body, 202, "2"},
		{"the token in the query", "/hooks/kudu?token=" + token, body, 202, "1"},
		{"what it does not know", "/hooks/kudu/" + token, `{}`, 202, "1"},
		{"a wrong token in the path", "/hooks/kudu/" + token + "0", body, 401, ""},
		{"a wrong token in the query", "/hooks/kudu?token=" + token[1:], body, 401, ""},
		{"no token", "/hooks/kudu", body, 401, ""},
		{"an empty token", "/hooks/kudu?token=", body, 401, ""},
		{"two tokens", "/hooks/kudu?token=" + token + "&token=" + token, body, 401, ""},
		{"no JSON", "/hooks/kudu/" + token, `do not log me`, 400, "1"},
		{"more than 1 MiB", "/hooks/kudu/" + token, strings.Repeat("x", 1<<20+1), 413, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var mux webhook.Mux
			webhook.On(&mux, func(context.Context, *webhook.Event[kudu.Deployment]) error { return nil })
			var got *webhook.Delivery
			rc := webhook.NewReceiver(source(), webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
				got = d
				return mux.Handle(ctx, d)
			}))
			var log bytes.Buffer
			rc.Logger = slog.New(slog.NewTextHandler(&log, nil))
			routes := http.NewServeMux()
			routes.Handle("/hooks/kudu/{token}", rc)
			routes.Handle("/hooks/kudu", rc)

			w := httptest.NewRecorder()
			routes.ServeHTTP(w, call(tc.target, tc.body))

			if w.Code != tc.status {
				t.Errorf("status %d, want %d; log: %s", w.Code, tc.status, &log)
			}
			if (got != nil) != (tc.label != "") {
				t.Fatalf("delivery %v", got)
			}
			seen := log.String() + w.Body.String()
			if got != nil {
				seen += fmt.Sprint(got.Header)
				if got.KeyLabel != tc.label {
					t.Errorf("key %q, want %q", got.KeyLabel, tc.label)
				}
			}
			if strings.Contains(seen, "token-") || strings.Contains(seen, "do not log me") {
				t.Errorf("token or body are in log, answer or header: %s", seen)
			}
		})
	}
}

func TestOtherMediaTypesAreRefused(t *testing.T) {
	rc := webhook.NewReceiver(source(), webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil }))
	rc.Logger = slog.New(slog.DiscardHandler)
	r := call("/?token="+token, `{}`)
	r.Header.Set("Content-Type", "text/plain")
	w := httptest.NewRecorder()
	rc.ServeHTTP(w, r)
	if w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("got %d, want 415", w.Code)
	}
}

// kuduClient calls as .NET does: without credentials first, and again with
// them if the answer asks for Basic ones.
func kuduClient(t *testing.T, target, user, password, body string) (statuses []int) {
	t.Helper()
	send := func(authorize bool) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
		if authorize {
			r.SetBasicAuth(user, password)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil {
			t.Fatal(err)
		}
		statuses = append(statuses, answer.StatusCode)
		return answer
	}
	first := send(false)
	if first.StatusCode == 401 && strings.HasPrefix(first.Header.Get("WWW-Authenticate"), "Basic ") {
		send(true)
	}
	return statuses
}

func TestKuduSendsThePasswordWhenItIsAskedFor(t *testing.T) {
	var got []*webhook.Delivery
	rc := webhook.NewReceiver(kudu.BasicSource(webhook.NewSecret(token)),
		webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
			got = append(got, d)
			return nil
		}))
	var log bytes.Buffer
	rc.Logger = slog.New(slog.NewTextHandler(&log, nil))
	server := httptest.NewServer(rc)
	t.Cleanup(server.Close)
	body := string(fixture(t, "deployment.camel.all-fields.json"))

	if diff := cmp.Diff([]int{401, 202}, kuduClient(t, server.URL, "hook", token, body)); diff != "" {
		t.Errorf("the password (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{401, 401}, kuduClient(t, server.URL, "hook", token+"0", body)); diff != "" {
		t.Errorf("another password (-want +got):\n%s", diff)
	}
	if len(got) != 1 || string(got[0].Body) != body || got[0].Header.Get("Authorization") != "" {
		t.Errorf("deliveries %v", got)
	}
	if strings.Contains(log.String(), "token-") || strings.Contains(log.String(), "Kim Poe") {
		t.Errorf("password or body are in the log: %s", &log)
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
		e, err := webhook.Decode[kudu.Deployment](d)
		if err != nil {
			t.Error(err)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(body, d.Body) {
			t.Errorf("body %s, %v", body, err)
		}
		_, _ = io.WriteString(w, e.Payload.Site())
	})
	routes := http.NewServeMux()
	routes.Handle("/hooks/kudu/{token}", kudu.Middleware(webhook.NewSecret(token))(next))
	for target, want := range map[string]string{token: "scale-staging.scm.azurewebsites.net", "wrong": "Unauthorized\n"} {
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, call("/hooks/kudu/"+target, string(fixture(t, "deployment.camel.all-fields.json"))))
		if got := w.Body.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestASourceWithoutSecretIsRefused(t *testing.T) {
	for name, src := range map[string]webhook.Source{
		"no token":        kudu.Source(),
		"no password":     kudu.BasicSource(),
		"an empty token":  kudu.Source(webhook.NewSecret(token), webhook.NewSecret("")),
		"a zero password": kudu.BasicSource(webhook.Secret{}),
	} {
		if err := src.Validate(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
