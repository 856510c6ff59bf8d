package jobserv_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestTheDedupKeyIsTheBuildAndItsCompletion(t *testing.T) {
	for _, tt := range []struct{ name, body, want string }{
		{"a build", `{"url":"https://h/projects/acme/lmp/builds/7/","completed":"2021-07-26T18:19:24+00:00"}`, "build:acme/lmp/7 2021-07-26T18:19:24Z"},
		{"another host and port", `{"url":"http://lci-web:80/projects/acme/lmp/builds/7/","completed":"2021-07-26T18:19:24+00:00"}`, "build:acme/lmp/7 2021-07-26T18:19:24Z"},
		{"microseconds", `{"url":"https://h/projects/p/builds/7/","completed":"2021-07-26T18:19:24.005000+00:00"}`, "build:p/7 2021-07-26T18:19:24.005Z"},
		{"another zone", `{"url":"https://h/projects/p/builds/7/","completed":"2021-07-26T20:19:24+02:00"}`, "build:p/7 2021-07-26T18:19:24Z"},
		{"a number", `{"url":"https://h/projects/p/builds/7","completed":1627323564}`, "build:p/7 2021-07-26T18:19:24Z"},
		{"a number in quotes", `{"url":"https://h/projects/p/builds/7/","completed":"1627323564"}`, ""},
		{"no time", `{"url":"https://h/projects/p/builds/7/","completed":"soon"}`, ""},
		{"null", `{"url":"https://h/projects/p/builds/7/","completed":null}`, ""},
		{"empty", `{"url":"https://h/projects/p/builds/7/","completed":""}`, ""},
		{"no completion", `{"url":"https://h/projects/p/builds/7/"}`, ""},
		{"no number", `{"url":"https://h/projects/p/builds/latest/","completed":"2021-07-26T18:19:24+00:00"}`, ""},
		{"number zero", `{"url":"https://h/projects/p/builds/0/","completed":"2021-07-26T18:19:24+00:00"}`, ""},
		{"the URL of a run", `{"url":"https://h/projects/p/builds/7/runs/a/","completed":"2021-07-26T18:19:24+00:00"}`, ""},
		{"no project", `{"url":"https://h/projects//builds/7/","completed":"2021-07-26T18:19:24+00:00"}`, ""},
		{"no URL", `{"project_name":"p","build_id":7,"completed":"2021-07-26T18:19:24+00:00"}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := []string{}
			if tt.want != "" {
				want = append(want, tt.want)
			}
			got := jobserv.Source(webhook.NewSecret("x")).Describe(nil, []byte(tt.body)).DedupKeys
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("dedup keys (-want +got):\n%s", diff)
			}
		})
	}
}

// A project may have two webhooks that call one receiver, with secrets of their own.
func TestTwoCallsOfOneCompletionAreStoredOnce(t *testing.T) {
	first, second := webhook.NewSecret("the first"), webhook.NewSecret("the second")
	src := source(t, first, second)
	var inbox webhook.MemInbox
	body := fixture(t, "build.detailed.json")
	for n, secret := range []webhook.Secret{first, second} {
		d, err := src.Open(webhooktest.NewRequest(jobserv.Source(secret), "/", body), body)
		if err != nil {
			t.Fatal(err)
		}
		if err := inbox.Put(t.Context(), d); webhook.IsDuplicate(err) != (n == 1) {
			t.Errorf("call %d: %v", n, err)
		}
	}
}
