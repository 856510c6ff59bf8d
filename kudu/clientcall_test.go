package kudu_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/kudu"
)

func TestAnAnswerThatIsNoSuccess(t *testing.T) {
	for _, tc := range []struct {
		name    string
		status  int
		body    string
		want    error
		code    int // of the StatusError, 0 where there is none
		message string
	}{
		{"no credentials", 401, ``, kudu.ErrDenied, 401, ""},
		{"forbidden", 403, `<html>`, kudu.ErrDenied, 403, ""},
		{"a page to sign in", 302, `<html>`, kudu.ErrDenied, 302, ""},
		{"no Kudu", 404, `<html>`, kudu.ErrHookNotFound, 404, ""},
		{"a conflict", 409, ``, kudu.ErrHookConflict, 409, ""},
		{"a bad request", 400, `{"Message":"The request is invalid."}`, nil, 400, "The request is invalid."},
		{"a lock", 500, ``, kudu.ErrServer, 500, ""},
		{"a proxy's page", 502, `<html>`, kudu.ErrServer, 502, ""},
		{"a refused URL", 500, `{"Message":"An error has occurred.","ExceptionMessage":"Invalid hook address '` + hookURL + `'.","ExceptionType":"System.FormatException","StackTrace":"at ` + hookURL + `"}`,
			kudu.ErrServer, 500, "System.FormatException: Invalid hook address [URL]"},
		{"a long message", 500, `{"Message":"` + strings.Repeat("x", 255) + `é"}`, kudu.ErrServer, 500, strings.Repeat("x", 255)},
		{"no JSON", 200, `<html>`, kudu.ErrAnswer, 0, ""},
		{"nothing", 200, ``, kudu.ErrAnswer, 0, ""},
		{"a hook without id", 200, `[{"url":"https://ci.example.com"}]`, kudu.ErrAnswer, 0, ""},
		{"a hook without URL", 200, `[{"id":"1"}]`, kudu.ErrAnswer, 0, ""},
		{"a hook of null", 200, `[null]`, kudu.ErrAnswer, 0, ""},
		{"a status of an object", 200, `[{"id":"1","url":"` + hookURL + `","last_status":{}}]`, kudu.ErrAnswer, 0, ""},
		{"too large", 200, `[` + strings.Repeat(" ", 1024) + `]`, kudu.ErrTooLarge, 0, ""},
		{"an error that is too large", 500, strings.Repeat(" ", 1025), kudu.ErrTooLarge, 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := clientOf(answering(tc.status, tc.body))
			c.MaxAnswer = 1024
			_, err := c.List(t.Context())
			if err == nil || tc.want != nil && !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			var status *kudu.StatusError
			if errors.As(err, &status) != (tc.code != 0) {
				t.Fatalf("got %v, want a StatusError only for a status", err)
			}
			if tc.code != 0 && (status.Code != tc.code || status.Message != tc.message) {
				t.Errorf("got %d %q, want %d %q", status.Code, status.Message, tc.code, tc.message)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error shows the hook's URL: %v", err)
			}
		})
	}
}

func TestSubscribeToAnAnswerOfNull(t *testing.T) {
	if _, err := clientOf(answering(http.StatusCreated, "null")).Subscribe(t.Context(), deploymentHook()); !errors.Is(err, kudu.ErrAnswer) {
		t.Errorf("got %v, want ErrAnswer", err)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		site := httptest.NewServer(http.RedirectHandler(elsewhere.URL+"/common/oauth2", status))
		_, err := newClient(site.URL, nil).Subscribe(t.Context(), deploymentHook())
		site.Close()
		if !errors.Is(err, kudu.ErrDenied) || !strings.Contains(err.Error(), "sign in") {
			t.Errorf("%d: got %v, want ErrDenied", status, err)
		}
	}
}

func TestASiteThatIsNotThere(t *testing.T) {
	site := httptest.NewServer(nil)
	site.Close()
	_, err := newClient(site.URL, nil).Ensure(t.Context(), deploymentHook())
	if err == nil || !strings.Contains(err.Error(), "refused") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v, want why the site cannot be reached", err)
	}
}

func TestACallEndsWithItsContextAndWithItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clientOf(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		start := time.Now()
		if _, err := c.List(t.Context()); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 45*time.Second {
			t.Errorf("got %v after %v, want DeadlineExceeded after 45s", err, time.Since(start))
		}
		c.Timeout = time.Minute
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := c.Unsubscribe(ctx, "1"); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want Canceled", err)
		}
	})
}

func TestAPathBeforeTheAPIStays(t *testing.T) {
	var got string
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.URL.EscapedPath()
		fmt.Fprint(w, "null")
	}))
	defer site.Close()
	_, err := newClient(site.URL+"/proxy/", nil).Get(t.Context(), "a/b")
	if want := "/proxy/api/hooks/a%2Fb"; got != want || !errors.Is(err, kudu.ErrHookNotFound) {
		t.Errorf("asked for %s, %v, want %s", got, err, want)
	}
}

// listed decodes a list of hooks as the Client does.
func listed(t testing.TB, body string) ([]kudu.Hook, error) {
	t.Helper()
	return clientOf(answering(http.StatusOK, body)).List(t.Context())
}

func TestHooksAreReadAsKuduAndAsItsWikiWritesThem(t *testing.T) {
	got, err := listed(t, `[
		{"id":"636200000000000001","event":"PostDeployment","url":"https://u:p@ci.example.com/a","insecure_ssl":true,
		 "last_status":"OK","last_reason":"OK","last_datetime":"2017-01-17T02:44:01.990012Z","last_context":"{}"},
		{"id":"2","event":"e","url":"https://ci.example.com/b","insecure_ssl":false,
		 "last_status":null,"last_reason":null,"last_datetime":"0001-01-01T00:00:00","last_context":null},
		{"id":636200000000000003,"event":null,"url":"https://ci.example.com/c","last_datetime":"08/08/2013 13:24PM"},
		{"id":"4","url":"https://ci.example.com/d","last_datetime":null,"unknown":[1]}]`)
	if err != nil {
		t.Fatal(err)
	}
	want := []kudu.Hook{
		{ID: "636200000000000001", Event: "PostDeployment", URL: "https://u:p@ci.example.com/a", InsecureSSL: true,
			LastStatus: "OK", LastReason: "OK", LastTime: time.Date(2017, 1, 17, 2, 44, 1, 990012000, time.UTC), LastContext: "{}"},
		{ID: "2", Event: "e", URL: "https://ci.example.com/b"},
		{ID: "636200000000000003", URL: "https://ci.example.com/c", LastTime: time.Date(2013, 8, 8, 13, 24, 0, 0, time.UTC)},
		{ID: "4", URL: "https://ci.example.com/d"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("hooks (-want +got):\n%s", diff)
	}
}

func TestAHookPrintsWithoutItsURLAndItsBody(t *testing.T) {
	h := kudu.Hook{ID: "1", Event: "PostDeployment", URL: hookURL, LastStatus: "OK", LastContext: "s3cret body"}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("hook", "hook", h)
	for _, text := range []string{fmt.Sprint(h), fmt.Sprintf("%+v", &h), fmt.Sprintf("%#v", h), fmt.Sprintf("%v", []kudu.Hook{h}), log.String()} {
		if strings.Contains(text, "s3cret") || !strings.Contains(text, "ci.example.com") {
			t.Errorf("printed as %s", text)
		}
	}
}

// The stand-in speaks of hooks as the fixtures of Kudu's own answers do.
func TestTheStandInWritesHooksAsKuduDoes(t *testing.T) {
	site := newSite(http.NotFoundHandler())
	made, err := clientOf(site).Subscribe(t.Context(), deploymentHook())
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/hooks/"+made.ID, nil)
	r.SetBasicAuth("$app", "site-password")
	site.ServeHTTP(w, r)
	want := `{"id":"` + made.ID + `","event":"PostDeployment","url":"` + hookURL + `","insecure_ssl":false,` +
		`"last_status":null,"last_reason":null,"last_datetime":"0001-01-01T00:00:00","last_context":null}`
	if got := w.Body.String(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestTheTimeOfTheLastCallIsNeverLostInSilence(t *testing.T) {
	list := func(token string) ([]kudu.Hook, error) {
		return listed(t, `[{"id":"1","url":"https://ci.example.com/a","last_datetime":`+token+`}]`)
	}
	for token, want := range map[string]time.Time{
		`"08/08/2013 13:24PM"`:          time.Date(2013, 8, 8, 13, 24, 0, 0, time.UTC), // the wiki's
		`"12/31/2013 01:24PM"`:          time.Date(2013, 12, 31, 13, 24, 0, 0, time.UTC),
		`"12/31/2013 00:24AM"`:          time.Date(2013, 12, 31, 0, 24, 0, 0, time.UTC),
		`"2017-01-17T02:44:01.990012Z"`: time.Date(2017, 1, 17, 2, 44, 1, 990012000, time.UTC),
		`"0001-01-01T00:00:00"`:         {},
		`null`:                          {},
		`""`:                            {},
	} {
		hooks, err := list(token)
		if err != nil || len(hooks) != 1 || !hooks[0].LastTime.Equal(want) {
			t.Errorf("%s: got %v, %v, want %v", token, hooks, err, want)
		}
	}
	for _, token := range []string{`"yesterday"`, `"31/12/2013 13:24PM"`, `"https://user:secret@example.com/"`, `1e400`} {
		hooks, err := list(token)
		if !errors.Is(err, kudu.ErrAnswer) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, %v, want ErrAnswer", token, hooks, err)
		}
	}
}
