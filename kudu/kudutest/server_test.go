package kudutest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/kudu/kudutest"
	"github.com/hookhouse/hookhouse/webhook"
)

// call makes a request and returns the answer.
func call(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// subscribe creates a hook and returns its id.
func subscribe(t *testing.T, h http.Handler, event, url string) string {
	t.Helper()
	w := call(h, "POST", "/api/hooks", `{"url":"`+url+`","event":"`+event+`"}`)
	var made struct{ ID string }
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != http.StatusCreated {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return made.ID
}

func TestAnswersOfTheAPI(t *testing.T) {
	const hook = `{"id":"ID","event":"PostDeployment","url":"https://u:p@ci.example.com/a","insecure_ssl":false,` +
		`"last_status":null,"last_reason":null,"last_datetime":"0001-01-01T00:00:00","last_context":null}`
	for _, tc := range []struct {
		name, method, path, body string
		status                   int
		answer                   string
	}{
		{"list", "GET", "/api/hooks", "", 200, "[" + hook + "]"},
		{"list on the deprecated route", "GET", "/hooks", "", 200, "[" + hook + "]"},
		{"get", "GET", "/api/hooks/ID", "", 200, hook},
		{"get of no hook", "GET", "/api/hooks/1", "", 200, "null"},
		{"delete", "DELETE", "/hooks/ID", "", 200, ""},
		{"delete of no hook", "DELETE", "/api/hooks/1", "", 200, ""},
		{"an existing hook, in another case and insecure", "POST", "/api/hooks", `{"url":"HTTPS://u:p@ci.example.com/A","event":"postdeployment","insecure_ssl":true}`, 201, hook},
		{"an existing hook, with spaces around the URL", "POST", "/hooks", `{"url":" https://u:p@ci.example.com/a ","event":"PostDeployment"}`, 201, hook},
		{"the same URL for another event", "POST", "/api/hooks", `{"url":"https://u:p@ci.example.com/a","event":"Other"}`, 409, ""},
		{"no body", "POST", "/api/hooks", "", 400, `{"Message":"The request is invalid."}`},
		{"a body of null", "POST", "/api/hooks", "null", 400, `{"Message":"The request is invalid."}`},
		{"a body that is not JSON", "POST", "/api/hooks", "{", 400, `{"Message":"The request is invalid."}`},
		{"publish without hooks", "POST", "/api/hooks/publish/Any", "{}", 200, ""},
		{"publish of a body that is not JSON", "POST", "/api/hooks/publish/Any", "{", 400, ""},
		{"publish on the route of the wiki", "POST", "/api/hooks/hooks/publish/Any", "{}", 404, ""},
		{"change", "PUT", "/api/hooks/ID", "{}", 404, ""},
		{"delete all", "DELETE", "/api/hooks", "", 404, ""},
		{"another API", "GET", "/api/settings", "", 404, ""},
		{"the root", "GET", "/", "", 404, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var site kudutest.Server
			id := subscribe(t, &site, "PostDeployment", "https://u:p@ci.example.com/a")
			w := call(&site, tc.method, strings.Replace(tc.path, "ID", id, 1), tc.body)
			if diff := cmp.Diff(strings.Replace(tc.answer, "ID", id, 1), w.Body.String()); w.Code != tc.status || diff != "" {
				t.Errorf("status %d, want %d (-want +got):\n%s", w.Code, tc.status, diff)
			}
			calls := site.Calls()
			if last := calls[len(calls)-1]; len(calls) != 2 || last.Method != tc.method || last.Status != tc.status || string(last.Body) != tc.body {
				t.Errorf("recorded %+v", calls)
			}
			if left := len(site.Hooks()); (left == 0) != (tc.name == "delete") {
				t.Errorf("%d hooks are left", left)
			}
		})
	}
}

func TestInvalidURLGetsAStackTrace(t *testing.T) {
	var site kudutest.Server
	for _, url := range []string{"", "/relative", "ci.example.com", "https://ci.example.com/a b", "https://ci.example.com/%zz"} {
		w := call(&site, "POST", "/api/hooks", `{"url":"`+url+`","event":"e"}`)
		var exception struct{ ExceptionType, ExceptionMessage, StackTrace string }
		if err := json.Unmarshal(w.Body.Bytes(), &exception); err != nil || w.Code != 500 {
			t.Fatalf("%q: %d %s: %v", url, w.Code, w.Body, err)
		}
		if exception.ExceptionType != "System.FormatException" || !strings.Contains(exception.ExceptionMessage, "'"+url+"'") || exception.StackTrace == "" {
			t.Errorf("%q: %+v", url, exception)
		}
	}
}

func TestRequestsThatAreNotJSON(t *testing.T) {
	var site kudutest.Server
	if w := call(&site, "POST", "/api/hooks", "url=x", "Content-Type", "application/x-www-form-urlencoded"); w.Code != 415 {
		t.Errorf("status %d, want 415", w.Code)
	}
	if w := call(&site, "POST", "/api/hooks", strings.Repeat(" ", 5<<20)); w.Code != 400 {
		t.Errorf("5 MiB: status %d, want 400", w.Code)
	}
}

func TestSubscribeWithoutEventAndWithID(t *testing.T) {
	var site kudutest.Server
	w := call(&site, "POST", "/api/hooks", `{"url":"https://ci.example.com","id":"7","insecure_ssl":true}`)
	hooks := site.Hooks()
	if w.Code != 201 || len(hooks) != 1 || hooks[0].ID == "7" || len(hooks[0].ID) != 18 || hooks[0].Event != nil || !hooks[0].InsecureSSL {
		t.Errorf("%d: %+v", w.Code, hooks)
	}
}

func TestIDsDiffer(t *testing.T) {
	var site kudutest.Server
	if a, b := subscribe(t, &site, "e", "https://ci.example.com/a"), subscribe(t, &site, "e", "https://ci.example.com/b"); a >= b {
		t.Errorf("ids %s and %s", a, b)
	}
}

func TestCredentials(t *testing.T) {
	both := &kudutest.Server{User: "$app", Password: webhook.NewSecret("p"), Token: webhook.NewSecret("t")}
	for _, tc := range []struct {
		header string
		status int
	}{
		{"Basic JGFwcDpw", 200}, {"Bearer t", 200}, {"bearer t", 200},
		{"", 401}, {"Basic JGFwcDpx", 401}, {"Bearer p", 401}, {"Bearer ", 401}, {"t", 401},
	} {
		w := call(both, "GET", "/api/hooks", "", "Authorization", tc.header)
		if w.Code != tc.status || (w.Header().Get("WWW-Authenticate") == "") != (tc.status == 200) {
			t.Errorf("%q: status %d, want %d", tc.header, w.Code, tc.status)
		}
	}
}
