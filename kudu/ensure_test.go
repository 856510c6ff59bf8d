package kudu_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/kudu/kudutest"
)

// methods returns the methods of the calls after the first n.
func methods(site *kudutest.Server, n int) string {
	var all []string
	for _, c := range site.Calls()[n:] {
		all = append(all, c.Method)
	}
	return strings.Join(all, " ")
}

func TestEnsureCreatesTheHookAndKeepsOthers(t *testing.T) {
	other := kudu.Hook{URL: "https://other.example.com/x", Event: kudu.EventPostDeployment}
	want := deploymentHook()
	with := func(change func(*kudu.Hook)) *kudu.Hook {
		h := deploymentHook()
		change(&h)
		return &h
	}
	for _, tc := range []struct {
		name   string
		exists *kudu.Hook
		calls  string
	}{
		{"none exists", nil, "GET POST"},
		{"it exists", &want, "GET"},
		{"its event is in another case", with(func(h *kudu.Hook) { h.Event = "POSTdeployment" }), "GET"},
		{"it is for another event", with(func(h *kudu.Hook) { h.Event = kudu.EventTriggeredJobFinished }), "GET DELETE POST"},
		{"it does not verify certificates", with(func(h *kudu.Hook) { h.InsecureSSL = true }), "GET DELETE POST"},
		{"its password is in another case", with(func(h *kudu.Hook) { h.URL = strings.Replace(h.URL, "s3cret", "S3cret", 1) }), "GET DELETE POST"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			site := newSite(http.NotFoundHandler())
			c, ctx := clientOf(site), t.Context()
			must[kudu.Hook](t)(c.Subscribe(ctx, other))
			if tc.exists != nil {
				must[kudu.Hook](t)(c.Subscribe(ctx, *tc.exists))
			}
			before := len(site.Calls())
			got := must[kudu.Hook](t)(c.Ensure(ctx, want))
			if calls := methods(site, before); calls != tc.calls {
				t.Errorf("calls %s, want %s", calls, tc.calls)
			}
			if got.URL != want.URL || !strings.EqualFold(got.Event, want.Event) || got.InsecureSSL {
				t.Errorf("got %#v", got)
			}
			before = len(site.Calls())
			if diff := cmp.Diff(got, must[kudu.Hook](t)(c.Ensure(ctx, want))); diff != "" || methods(site, before) != "GET" {
				t.Errorf("again: %s (-first +again):\n%s", methods(site, before), diff)
			}
			if hooks := must[[]kudu.Hook](t)(c.List(ctx)); len(hooks) != 2 || hooks[0].URL != other.URL {
				t.Errorf("hooks afterwards: %v", hooks)
			}
		})
	}
}

func TestConcurrentEnsureCreatesOneHook(t *testing.T) {
	for _, exists := range []bool{false, true} {
		site := newSite(http.NotFoundHandler())
		c, ctx := clientOf(site), t.Context()
		if exists { // a different hook
			must[kudu.Hook](t)(c.Subscribe(ctx, kudu.Hook{URL: hookURL, Event: "other"}))
		}
		var all sync.WaitGroup
		ids := make([]string, 8)
		for i := range ids {
			all.Go(func() {
				got, err := c.Ensure(ctx, deploymentHook())
				if err != nil {
					t.Errorf("Ensure: %v", err)
				}
				ids[i] = got.ID
			})
		}
		all.Wait()
		hooks := site.Hooks()
		if len(hooks) != 1 || *hooks[0].Event != kudu.EventPostDeployment {
			t.Fatalf("hooks: %+v", hooks)
		}
		for _, id := range ids {
			if id != hooks[0].ID {
				t.Errorf("Ensure returned hook %s, the site has %s", id, hooks[0].ID)
			}
		}
	}
}

// A contendedSite is a site where another program acts before each POST.
type contendedSite struct {
	*kudutest.Server
	act   func(n int)
	posts int
}

func (m *contendedSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		m.posts++
		m.act(m.posts)
	}
	m.Server.ServeHTTP(w, r)
}

func TestEnsureTriesAgainAfterAnotherProgram(t *testing.T) {
	other := kudu.Hook{URL: hookURL, Event: kudu.EventTriggeredJobFinished}
	insecure := deploymentHook()
	insecure.InsecureSSL = true
	for _, tc := range []struct {
		name  string
		other kudu.Hook
		times int
		want  error
	}{
		{"with another event, once", other, 1, nil},
		{"without verification of certificates, once", insecure, 1, nil},
		{"with another event, every time", other, 99, kudu.ErrHookConflict},
		{"without verification of certificates, every time", insecure, 99, kudu.ErrHookConflict},
	} {
		t.Run(tc.name, func(t *testing.T) {
			site := newSite(http.NotFoundHandler())
			m := &contendedSite{Server: site}
			rival, ctx := clientOf(site), t.Context()
			m.act = func(n int) {
				if n <= tc.times {
					must[kudu.Hook](t)(rival.Subscribe(ctx, tc.other))
				}
			}
			_, err := clientOf(m).Ensure(ctx, deploymentHook())
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if m.posts > 5 {
				t.Errorf("tried %d times", m.posts)
			}
		})
	}
}

func TestEnsureReturnsErrors(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodDelete, http.MethodPost} {
		site := newSite(http.NotFoundHandler())
		must[kudu.Hook](t)(clientOf(site).Subscribe(t.Context(), kudu.Hook{URL: hookURL, Event: "other"}))
		failing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == method {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			site.ServeHTTP(w, r)
		})
		if _, err := clientOf(failing).Ensure(t.Context(), deploymentHook()); !errors.Is(err, kudu.ErrServer) {
			t.Errorf("%s fails: got %v, want ErrServer", method, err)
		}
	}
}
