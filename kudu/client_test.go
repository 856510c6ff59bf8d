package kudu_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/kudu/kudutest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestSubscribeListGetUnsubscribe(t *testing.T) {
	site := newSite(answering(http.StatusNoContent, ""))
	c, ctx := clientOf(site), t.Context()
	if got := must[[]kudu.Hook](t)(c.List(ctx)); len(got) != 0 {
		t.Errorf("a site without hooks lists %v", got)
	}
	made := must[kudu.Hook](t)(c.Subscribe(ctx, deploymentHook()))
	want := deploymentHook()
	want.ID = made.ID
	if diff := cmp.Diff(want, made); diff != "" {
		t.Errorf("a new hook, never called (-want +got):\n%s", diff)
	}
	if len(made.ID) != 18 || strings.Trim(made.ID, "0123456789") != "" {
		t.Errorf("id %q, want 18 digits", made.ID)
	}
	if diff := cmp.Diff([]kudu.Hook{made}, must[[]kudu.Hook](t)(c.List(ctx))); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(made, must[kudu.Hook](t)(c.Get(ctx, made.ID))); diff != "" {
		t.Errorf("Get (-want +got):\n%s", diff)
	}
	for range 2 { // the second call finds no hook
		if err := c.Unsubscribe(ctx, made.ID); err != nil {
			t.Errorf("Unsubscribe: %v", err)
		}
	}
	if got := must[[]kudu.Hook](t)(c.List(ctx)); len(got) != 0 {
		t.Errorf("after Unsubscribe the site has %v", got)
	}
}

func TestSubscribeReturnsAnExistingHookUnchanged(t *testing.T) {
	c, ctx := clientOf(newSite(http.NotFoundHandler())), t.Context()
	first := must[kudu.Hook](t)(c.Subscribe(ctx, deploymentHook()))
	again := kudu.Hook{URL: strings.ToUpper(hookURL[:5]) + hookURL[5:], Event: "postdeployment", InsecureSSL: true}
	if diff := cmp.Diff(first, must[kudu.Hook](t)(c.Subscribe(ctx, again))); diff != "" {
		t.Errorf("changed (-first +again):\n%s", diff)
	}
}

func TestSubscribeURLForAnotherEventIsErrHookConflict(t *testing.T) {
	c, ctx := clientOf(newSite(http.NotFoundHandler())), t.Context()
	must[kudu.Hook](t)(c.Subscribe(ctx, deploymentHook()))
	_, err := c.Subscribe(ctx, kudu.Hook{URL: hookURL, Event: kudu.EventTriggeredJobFinished})
	var status *kudu.StatusError
	if !errors.Is(err, kudu.ErrHookConflict) || !errors.As(err, &status) || status.Code != 409 || status.Message != "" {
		t.Errorf("got %v, want ErrHookConflict of status 409", err)
	}
}

func TestGetOfNoHookIsErrHookNotFound(t *testing.T) {
	c := clientOf(newSite(http.NotFoundHandler()))
	for _, id := range []string{"636200000000000001", "a/b?c", "", ".", ".."} {
		if _, err := c.Get(t.Context(), id); !errors.Is(err, kudu.ErrHookNotFound) {
			t.Errorf("%q: got %v, want ErrHookNotFound", id, err)
		}
	}
}

func TestInvalidHooksAreNotSent(t *testing.T) {
	c := clientOf(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("called") }))
	for _, url := range []string{"", "/hooks/s3cret", "ci.example.com/s3cret", "ftp://ci.example.com/s3cret", "https:///s3cret", "https://ci.example.com/s3cret x", "https://ci.example.com/%zzs3cret"} {
		for name, ask := range map[string]func(context.Context, kudu.Hook) (kudu.Hook, error){"Subscribe": c.Subscribe, "Ensure": c.Ensure} {
			_, err := ask(t.Context(), kudu.Hook{URL: url, Event: "e"})
			if !errors.Is(err, kudu.ErrHookInvalid) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s of %q: got %v, want ErrHookInvalid without the URL", name, url, err)
			}
		}
	}
	if _, err := c.Subscribe(t.Context(), kudu.Hook{URL: hookURL}); !errors.Is(err, kudu.ErrHookInvalid) {
		t.Errorf("no event: got %v", err)
	}
	for _, event := range []string{"", ".", ".."} {
		if err := c.Publish(t.Context(), event, 1); !errors.Is(err, kudu.ErrHookInvalid) {
			t.Errorf("Publish of %q: got %v", event, err)
		}
	}
	if err := c.Unsubscribe(t.Context(), ""); err != nil {
		t.Errorf("Unsubscribe of an empty ID: %v", err)
	}
	if err := c.Publish(t.Context(), "e", func() {}); err == nil {
		t.Error("Publish of a func returned no error")
	}
}

func TestPublishCallsTheHooksOfTheEvent(t *testing.T) {
	var got []string
	receiver := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Method+" "+r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	})
	c, ctx := clientOf(newSite(receiver)), t.Context()
	for _, h := range []kudu.Hook{
		{URL: "https://ci.example.com/a", Event: "My Event"},
		{URL: "https://ci.example.com/b", Event: kudu.EventPostDeployment},
	} {
		must[kudu.Hook](t)(c.Subscribe(ctx, h))
	}
	if err := c.Publish(ctx, "my event", map[string]string{"Site_Name": "x"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"POST /a"}, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	hooks := must[[]kudu.Hook](t)(c.List(ctx))
	want := []string{"NoContent", "No Content", "{\r\n  \"Site_Name\": \"x\"\r\n}"}
	if diff := cmp.Diff(want, []string{hooks[0].LastStatus, hooks[0].LastReason, hooks[0].LastContext}); diff != "" || hooks[0].LastTime.IsZero() {
		t.Errorf("called at %v (-want +got):\n%s", hooks[0].LastTime, diff)
	}
	if hooks[1].LastStatus != "" || !hooks[1].LastTime.IsZero() {
		t.Errorf("a hook that was not called has a last call: %v", hooks[1].LogValue())
	}
}

func TestTimeoutOfTheLockIsErrServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, ctx := clientOf(newSite(http.HandlerFunc(neverAnswer))), t.Context()
		must[kudu.Hook](t)(c.Subscribe(ctx, deploymentHook()))
		for range 4 { // each event holds the lock for 10 s
			go func() { _ = c.Publish(ctx, kudu.EventPostDeployment, 1) }()
			catchuptest.Advance(100 * time.Millisecond)
		}
		start := time.Now()
		if _, err := c.List(ctx); !errors.Is(err, kudu.ErrServer) || time.Since(start) != 30*time.Second {
			t.Errorf("got %v after %v, want ErrServer after 30s", err, time.Since(start))
		}
		hooks, err := c.List(ctx)
		if err != nil || hooks[0].LastStatus != "Failure" || hooks[0].LastReason != "A task was canceled." {
			t.Errorf("afterwards: %v, %v", hooks, err)
		}
	})
}

func TestCredentials(t *testing.T) {
	token, password := webhook.NewSecret("site-token"), webhook.NewSecret("site-password")
	expired := func(context.Context) (webhook.Secret, error) {
		return webhook.Secret{}, errors.New("token expired")
	}
	for _, tc := range []struct {
		name        string
		site        *kudutest.Server
		credentials kudu.CredentialsFunc
		denied      bool
	}{
		{"basic", &kudutest.Server{User: "$app", Password: password}, kudu.Basic("$app", password), false},
		{"bearer", &kudutest.Server{Token: token}, kudu.Bearer(token), false},
		{"none if none are required", &kudutest.Server{}, nil, false},
		{"none", &kudutest.Server{Token: token}, nil, true},
		{"a wrong password", &kudutest.Server{User: "$app", Password: password}, kudu.Basic("$app", token), true},
		{"a wrong user", &kudutest.Server{User: "$app", Password: password}, kudu.Basic("app", password), true},
		{"a wrong token", &kudutest.Server{Token: token}, kudu.Bearer(password), true},
		{"basic if it is disabled", &kudutest.Server{Token: token}, kudu.Basic("$app", password), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newClient(scm, tc.credentials)
			c.Transport = webhooktest.InMemory(tc.site)
			_, err := c.Ensure(t.Context(), deploymentHook())
			if tc.denied != errors.Is(err, kudu.ErrDenied) || !tc.denied && err != nil {
				t.Errorf("got %v, want denied %v", err, tc.denied)
			}
			if err != nil && strings.Contains(err.Error(), "site-") {
				t.Errorf("the error contains a secret: %v", err)
			}
		})
	}
	c := newClient(scm, expired)
	c.Transport = webhooktest.InMemory(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("called") }))
	if _, err := c.List(t.Context()); err == nil || !strings.Contains(err.Error(), "token expired") {
		t.Errorf("got %v, want the error of the credentials", err)
	}
}

func TestNewClientRefusesInvalidSites(t *testing.T) {
	for _, site := range []string{"", "app.scm.example", "ftp://app.scm.example", "https://u:p@app.scm.example", "https://app.scm.example/?a=b", "https://app.scm.example/#a", "https://"} {
		c, err := kudu.NewClient(site, nil)
		if c != nil || !errors.Is(err, kudu.ErrSite) || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q: got %v, %v, want nil and ErrSite", site, c, err)
		}
	}
}
