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

// asked returns the methods of the calls since the first n.
func asked(site *kudutest.Server, n int) string {
	var methods []string
	for _, c := range site.Calls()[n:] {
		methods = append(methods, c.Method)
	}
	return strings.Join(methods, " ")
}

func TestEnsureMakesTheHookAsAskedAndLeavesTheOthersAlone(t *testing.T) {
	other := kudu.Hook{URL: "https://other.example.com/x", Event: kudu.EventPostDeployment}
	want := deploymentHook()
	with := func(change func(*kudu.Hook)) *kudu.Hook {
		h := deploymentHook()
		change(&h)
		return &h
	}
	for _, tc := range []struct {
		name  string
		there *kudu.Hook
		calls string
	}{
		{"there is none", nil, "GET POST"},
		{"it is there", &want, "GET"},
		{"its event is in another case", with(func(h *kudu.Hook) { h.Event = "POSTdeployment" }), "GET"},
		{"it is for another event", with(func(h *kudu.Hook) { h.Event = kudu.EventTriggeredJobFinished }), "GET DELETE POST"},
		{"it does not look at certificates", with(func(h *kudu.Hook) { h.InsecureSSL = true }), "GET DELETE POST"},
		{"its password is in another case", with(func(h *kudu.Hook) { h.URL = strings.Replace(h.URL, "s3cret", "S3cret", 1) }), "GET DELETE POST"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			site := newSite(http.NotFoundHandler())
			c, ctx := clientOf(site), t.Context()
			must[kudu.Hook](t)(c.Subscribe(ctx, other))
			if tc.there != nil {
				must[kudu.Hook](t)(c.Subscribe(ctx, *tc.there))
			}
			before := len(site.Calls())
			got := must[kudu.Hook](t)(c.Ensure(ctx, want))
			if calls := asked(site, before); calls != tc.calls {
				t.Errorf("calls %s, want %s", calls, tc.calls)
			}
			if got.URL != want.URL || !strings.EqualFold(got.Event, want.Event) || got.InsecureSSL {
				t.Errorf("got %#v", got)
			}
			before = len(site.Calls())
			if diff := cmp.Diff(got, must[kudu.Hook](t)(c.Ensure(ctx, want))); diff != "" || asked(site, before) != "GET" {
				t.Errorf("again: %s (-first +again):\n%s", asked(site, before), diff)
			}
			if hooks := must[[]kudu.Hook](t)(c.List(ctx)); len(hooks) != 2 || hooks[0].URL != other.URL {
				t.Errorf("hooks afterwards: %v", hooks)
			}
		})
	}
}

func TestEnsureByManyAtOnceMakesOneHook(t *testing.T) {
	for _, there := range []bool{false, true} {
		site := newSite(http.NotFoundHandler())
		c, ctx := clientOf(site), t.Context()
		if there { // and differs
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
				t.Errorf("Ensure returned hook %s, there is %s", id, hooks[0].ID)
			}
		}
	}
}

// meddler is a site where another program acts right before each POST.
type meddler struct {
	*kudutest.Server
	act   func(n int)
	posts int
}

func (m *meddler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		m.posts++
		m.act(m.posts)
	}
	m.Server.ServeHTTP(w, r)
}

func TestEnsureLooksAgainWhenAnotherProgramWasQuicker(t *testing.T) {
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
		{"without looking at certificates, once", insecure, 1, nil},
		{"with another event, again and again", other, 99, kudu.ErrHookConflict},
		{"without looking at certificates, again and again", insecure, 99, kudu.ErrHookConflict},
	} {
		t.Run(tc.name, func(t *testing.T) {
			site := newSite(http.NotFoundHandler())
			m := &meddler{Server: site}
			quicker, ctx := clientOf(site), t.Context()
			m.act = func(n int) {
				if n <= tc.times {
					must[kudu.Hook](t)(quicker.Subscribe(ctx, tc.other))
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

func TestEnsureTellsWhatFails(t *testing.T) {
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
