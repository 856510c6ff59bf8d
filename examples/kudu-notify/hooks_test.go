package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestHooksAreReplacedAndRemoved(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	other := strings.Replace(r.public, "http://", "http://hook:other@", 1) + "/elsewhere"
	body := fmt.Sprintf(`{"url":%q,"event":"PostDeployment"}`, other)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.siteURL+"/api/hooks", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth("$app", sitePassword)
	if res, err := http.DefaultClient.Do(req); err != nil || res.StatusCode != http.StatusCreated {
		t.Fatalf("%v %v", res, err)
	}
	siteHost := strings.TrimPrefix(r.siteURL, "http://")
	hooks := func(password string) []string {
		var all []string
		for _, path := range []string{"/hooks/kudu/deployments", "/hooks/kudu/jobs"} {
			all = append(all, strings.Replace(r.public, "http://", "http://hook:"+password+"@", 1)+path+"?site="+url.QueryEscape(siteHost))
		}
		return append(all, other)
	}
	check := func(when string, want []string) {
		t.Helper()
		var got []string
		for _, h := range r.site.Hooks() {
			got = append(got, h.URL)
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("hooks %s (-want +got):\n%s", when, diff)
		}
	}
	r.start(t).stop(t)
	check("after the first start", hooks(hookPassword))
	before := r.site.Hooks()
	r.start(t).stop(t)
	if diff := cmp.Diff(before, r.site.Hooks()); diff != "" {
		t.Errorf("a second start changed (-want +got):\n%s", diff)
	}
	next := "n3xt-s3cret-0123456789"
	r.env = append(r.env, "KUDU_WEBHOOK_PASSWORD="+next+"\n"+hookPassword) // the last value of a variable is used
	r.start(t).stop(t)
	check("after a new password", hooks(next))

	r.env = append(r.env, "KUDU_WEBHOOK_PASSWORD=") // not needed to unsubscribe
	out, status := execute(t, r.env, append(r.args, "-unsubscribe")...)
	if status != 0 || strings.Count(out, "msg=unsubscribed") != 2 || strings.Contains(out, "s3cret") {
		t.Errorf("-unsubscribe: exit status %d\n%s", status, out)
	}
	check("after -unsubscribe", []string{other})
	if out, status = execute(t, r.env, append(r.args, "-unsubscribe")...); status != 0 || out != "" {
		t.Errorf("-unsubscribe again: exit status %d\n%s", status, out)
	}
}

func TestForgedEventsAreRejected(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.start(t)
	body, err := json.Marshal(deployment(1, kudu.StatusFailed))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, method, path, user, password, media string
		status                                    int
	}{
		{"no credentials", "POST", "/hooks/kudu/deployments", "", "", "application/json", 401},
		{"a wrong password", "POST", "/hooks/kudu/jobs", "hook", "wrong-s3cret-0123456789", "application/json", 401},
		{"the password as a token", "POST", "/hooks/kudu/deployments?token=" + hookPassword, "", "", "application/json", 401},
		{"another media type", "POST", "/hooks/kudu/deployments", "hook", hookPassword, "text/plain", 415},
		{"another method", "PUT", "/hooks/kudu/deployments", "hook", hookPassword, "application/json", 405},
		{"an unknown path", "POST", "/hooks/kudu", "hook", hookPassword, "application/json", 404},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tc.method, p.url+tc.path, strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", tc.media)
		if tc.user != "" {
			req.SetBasicAuth(tc.user, tc.password)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != tc.status || (res.Header.Get("WWW-Authenticate") != "") != (tc.status == 401) {
			t.Errorf("%s: status %d, want %d", tc.name, res.StatusCode, tc.status)
		}
	}
	// A verified request that is not a known event is accepted, and no target gets a
	// notice. The URL of a hook created by hand may name a channel.
	sender := webhooktest.Kudu{}
	byHand := strings.Replace(p.url, "http://", "http://any:"+hookPassword+"@", 1) + "/hooks/kudu/jobs?channel=%40kim"
	for _, body := range []string{`{"hello":1}`, `{"siteName":`, string(body)} {
		if got := sender.Deliver(t.Context(), byHand, []byte(body)); !got.Delivered || got.Attempts[0].Status != 202 {
			t.Errorf("%s: %+v", body, got)
		}
	}
	if got := r.slack.message(t); got.Channel != "@kim" || !strings.Contains(got.Text, "failed") {
		t.Errorf("Slack received %+v", got)
	}
	p.stop(t)
}
