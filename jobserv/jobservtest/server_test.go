package jobservtest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/jobserv/jobservtest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

var buildURL = wire.Some("https://api.example.com/projects/acme/lmp/builds/1/")

const project = "acme/lmp"

// newServer returns a server whose project has a hook, and the bodies that it gets.
func newServer(status int) (*jobservtest.Server, *[]string) {
	var bodies []string
	receiver := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		w.WriteHeader(status)
	})
	s := &jobservtest.Server{Token: webhook.NewSecret("token"), Transport: webhooktest.InMemory(receiver)}
	s.AddProject(project, jobservtest.Hook{URL: "http://receiver/", Secret: webhook.NewSecret("secret")})
	return s, &bodies
}

// A list is the data of an answer with builds.
type list struct {
	Limit, Page, Pages, Total int
	Next                      string
	Builds                    []jobserv.Build
}

// ask makes a request with the token and returns the status and the text of the answer.
func ask(t *testing.T, s *jobservtest.Server, target string, header ...string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://ci.example.net"+target, nil)
	r.Header.Set("Authorization", "Bearer token")
	for n := 0; n < len(header); n += 2 {
		r.Header.Set(header[n], header[n+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// askList returns the data of a list.
func askList(t *testing.T, s *jobservtest.Server, target string) (l list) {
	t.Helper()
	status, text := ask(t, s, target)
	answer := struct {
		Status string
		Data   *list
	}{Data: &l}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || status != 200 || answer.Status != "success" {
		t.Fatalf("%s: %d, %v: %s", target, status, err, text)
	}
	return l
}

func TestBuildsAreListedNewestFirstInPages(t *testing.T) {
	s, _ := newServer(202)
	for range 7 {
		s.Start(project)
	}
	var ids []int64
	target := "/projects/acme/lmp/builds/?limit=3"
	for page := 0; ; page++ {
		l := askList(t, s, target)
		for _, b := range l.Builds {
			ids = append(ids, b.BuildID)
		}
		if l.Limit != 3 || l.Page != page || l.Total != 7+min(page, 1) || l.Pages != 3 {
			t.Errorf("page %d: %+v", page, l)
		}
		if l.Next == "" {
			break
		}
		if page == 0 {
			s.Start(project) // shifts the pages
		}
		if target = strings.TrimPrefix(l.Next, "https://ci.example.net"); target == l.Next {
			t.Fatalf("next is %s, of another host", l.Next)
		}
	}
	if diff := cmp.Diff([]int64{7, 6, 5, 5, 4, 3, 2, 1}, ids); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}
	if l := askList(t, s, "/projects/acme/lmp/builds/"); l.Limit != 25 || len(l.Builds) != 8 {
		t.Errorf("without a limit: %+v", l)
	}
	if l := askList(t, s, "/projects/acme/lmp/builds/?page=9"); l.Builds == nil || len(l.Builds) != 0 {
		t.Errorf("beyond the last page: %+v", l)
	}
}

func TestACallAndTheAPIAgree(t *testing.T) {
	for _, whole := range []bool{false, true} {
		t.Run(fmt.Sprint(whole), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				catchuptest.Advance(1234567 * time.Microsecond)
				s, bodies := newServer(503)
				s.WholeSeconds = whole
				id := s.Start(project)
				s.Describe(project, id, "na\u00efve\n", "build-main", "")
				if b := askList(t, s, "/projects/acme/lmp/builds/").Builds[0]; b.Result() != jobserv.Queued || !b.Created.Valid() || !b.Completed.IsZero() {
					t.Errorf("a queued build is %+v", b)
				}
				catchuptest.Advance(1600 * time.Millisecond)
				results := s.Finish(t.Context(), project, id, jobserv.Failed)
				if len(results) != 1 || len(results[0].Attempts) != 4 || len(*bodies) != 4 || (*bodies)[0] != (*bodies)[3] {
					t.Fatalf("results %+v, %d calls, want four with the same body", results, len(*bodies))
				}
				var call, detail struct{ jobserv.Build }
				_, text := ask(t, s, "/projects/acme/lmp/builds/1/")
				answer := struct {
					Data struct{ Build *jobserv.Build }
				}{}
				answer.Data.Build = &detail.Build
				if err := json.Unmarshal([]byte(text), &answer); err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal([]byte((*bodies)[0]), &call); err != nil {
					t.Fatal(err)
				}
				if call.URL.Or("") != buildURL.Or("") || detail.URL.Or("") != "https://ci.example.net/projects/acme/lmp/builds/1/" {
					t.Errorf("the URLs are %s and %s", call.URL.Or(""), detail.URL.Or(""))
				}
				if call.Completed != detail.Completed || whole == strings.Contains(call.Completed.Text(), ".") || !strings.HasSuffix(call.Completed.Text(), "+00:00") {
					t.Errorf("completed at %s and %s", call.Completed.Text(), detail.Completed.Text())
				}
				if n := len(call.StatusEvents.Or(nil)); n != 3 || call.Rerun() || call.Result() != jobserv.Failed {
					t.Errorf("%d events, status %s", n, call.Result())
				}
				if want := `"reason": "na\u00efve\n", "annotation": null}`; !strings.HasSuffix((*bodies)[0], want) {
					t.Errorf("the body ends with other text than %s: %s", want, (*bodies)[0])
				}
				if !strings.HasPrefix(text, `{"data": {"build": {"annotation": null, "build_id": 1, `) {
					t.Errorf("the answer is not sorted: %s", text)
				}
			})
		})
	}
}

func TestWhichBuildsMakeACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, bodies := newServer(202)
		s.AddProject(project, jobservtest.Hook{URL: "http://receiver/", Secret: webhook.NewSecret("secret"), OnlyFailures: true},
			jobservtest.Hook{URL: "http://receiver/"})
		finish := func(id int64, status jobserv.Status) {
			catchuptest.Advance(time.Second)
			s.Finish(t.Context(), project, id, status)
		}
		finish(s.Start(project), jobserv.Passed)
		s.External(project)
		s.Cancel(project, s.Start(project))
		if len(*bodies) != 0 {
			t.Errorf("%d calls, want none", len(*bodies))
		}
		finish(s.Start(project), jobserv.Failed)
		s.Rerun(project, 4)
		finish(4, jobserv.Failed)
		s.Promote(project, 4, "v1", "")
		if len(*bodies) != 2 || (*bodies)[0] == (*bodies)[1] {
			t.Errorf("%d calls, want two with different bodies", len(*bodies))
		}
		b := askList(t, s, "/projects/acme/lmp/builds/").Builds
		if b[0].Result() != jobserv.Promoted || b[0].Name.Or("") != "v1" || b[2].Completed != b[2].Created && b[2].BuildID == 2 {
			t.Errorf("builds %+v", b)
		}
	})
}

func TestErrorsHaveTheFormsOfJobServ(t *testing.T) {
	for _, tt := range []struct {
		name, target, token string
		change              func(s *jobservtest.Server)
		status              int
		text                string
	}{
		{"another token", "/projects/acme/lmp/builds/", "Bearer other", nil, 401, `"status": "error"`},
		{"no such project", "/projects/acme/x/builds/", "Bearer token", nil, 404, `"message": "Object does not exist: /projects/acme/x/builds/"`},
		{"no such build", "/projects/acme/lmp/builds/2/", "Bearer token", nil, 404, `"message": "Object does not exist: /projects/acme/lmp/builds/2/"`},
		{"a removed project", "/projects/acme/lmp/builds/", "Bearer token", func(s *jobservtest.Server) { s.RemoveProject(project) }, 404, "Object does not exist"},
		{"a renamed project", "/projects/acme/lmp/builds/", "Bearer token", func(s *jobservtest.Server) { s.Rename(project, "b") }, 404, "Object does not exist"},
		{"its new name", "/projects/b/builds/1/", "Bearer token", func(s *jobservtest.Server) { s.Rename(project, "b") }, 200, "https://ci.example.net/projects/b/builds/1/"},
		{"a limit that is no number", "/projects/acme/lmp/builds/?limit=x", "Bearer token", nil, 400, `Invalid pagination. \"limit\" must be numeric`},
		{"a page that is no number", "/projects/acme/lmp/builds/?page=x", "Bearer token", nil, 400, `Invalid pagination. \"page\" must be numeric`},
		{"a limit of zero", "/projects/acme/lmp/builds/?limit=0", "Bearer token", nil, 500, `"status": "error"`},
		{"a failure of a proxy", "/projects/acme/lmp/builds/", "Bearer token", func(s *jobservtest.Server) { s.Fail(1, jobservtest.Failure{Status: 502}) }, 502, "<html>"},
		{"a failure for another path", "/projects/acme/lmp/builds/", "Bearer token", func(s *jobservtest.Server) { s.Fail(1, jobservtest.Failure{Path: "/x", Status: 502}) }, 200, "success"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := newServer(202)
			s.Start(project)
			if tt.change != nil {
				tt.change(s)
			}
			if status, text := ask(t, s, tt.target, "Authorization", tt.token); status != tt.status || !strings.Contains(text, tt.text) {
				t.Errorf("%d %s, want %d with %s", status, text, tt.status, tt.text)
			}
		})
	}
}

func TestTheTokenMayBeInAnotherHeader(t *testing.T) {
	s, _ := newServer(202)
	s.TokenHeader = "OSF-TOKEN"
	for token, want := range map[string]int{"token": 200, "other": 401} {
		if status, _ := ask(t, s, "/projects/acme/lmp/builds/", "OSF-TOKEN", token); status != want {
			t.Errorf("%s: %d, want %d", token, status, want)
		}
	}
}
