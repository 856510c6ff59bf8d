package kudu_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/kudu"
)

// listHooks returns the hooks that the Client decodes from body.
func listHooks(t testing.TB, body string) ([]kudu.Hook, error) {
	t.Helper()
	return clientOf(answering(http.StatusOK, body)).List(t.Context())
}

func TestHooksOfKuduAndOfItsWikiDecode(t *testing.T) {
	got, err := listHooks(t, `[
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

func TestHookPrintsNeitherURLNorBody(t *testing.T) {
	h := kudu.Hook{ID: "1", Event: "PostDeployment", URL: hookURL, LastStatus: "OK", LastContext: "s3cret body"}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("hook", "hook", h)
	for _, text := range []string{fmt.Sprint(h), fmt.Sprintf("%+v", &h), fmt.Sprintf("%#v", h), fmt.Sprintf("%v", []kudu.Hook{h}), log.String()} {
		if strings.Contains(text, "s3cret") || !strings.Contains(text, "ci.example.com") {
			t.Errorf("printed as %s", text)
		}
	}
}

// The expected text has the form of a fixture of Kudu's own answers.
func TestServerOfKudutestEncodesHooksAsKudu(t *testing.T) {
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

func TestLastTimeFormats(t *testing.T) {
	list := func(token string) ([]kudu.Hook, error) {
		return listHooks(t, `[{"id":"1","url":"https://ci.example.com/a","last_datetime":`+token+`}]`)
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
