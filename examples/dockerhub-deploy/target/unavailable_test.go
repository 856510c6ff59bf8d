package target

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestWaitForWhatIsUnavailable(t *testing.T) {
	for name, test := range map[string]struct {
		u    Unavailable
		age  time.Duration
		want time.Duration
	}{
		"away":                              {Unavailable{}, 0, time.Minute},
		"away for some minutes":             {Unavailable{}, 6 * time.Minute, 3 * time.Minute},
		"away for a day":                    {Unavailable{}, 24 * time.Hour, 10 * time.Minute},
		"limited":                           {Unavailable{Limited: true}, 0, time.Hour},
		"limited for the time that it says": {Unavailable{Limited: true, After: 6 * time.Hour}, 0, 6 * time.Hour},
		"denied":                            {Unavailable{Denied: true}, 0, time.Minute},
		"denied for an hour":                {Unavailable{Denied: true}, time.Hour, 30 * time.Minute},
		"denied for a day":                  {Unavailable{Denied: true}, 24 * time.Hour, time.Hour},
	} {
		if got := test.u.Wait(time.Minute, test.age); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// The texts are those that engines and registries print.
func TestPullThatIsDenied(t *testing.T) {
	for text, want := range map[string]Unavailable{
		"Error response from daemon: pull access denied for acme/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied": {Denied: true},
		"Error response from daemon: Get \"https://registry-1.docker.io/v2/\": unauthorized: incorrect username or password":                                                       {Denied: true},
		"Error response from daemon: Head \"https://ghcr.io/v2/acme/app/manifests/1\": denied: denied":                                                                             {Denied: true},
		"Error response from daemon: no matching manifest for linux/arm64/v8 in the manifest list entries":                                                                         {Denied: true},
		"Error response from daemon: manifest for acme/app:1 not found: manifest unknown: manifest unknown":                                                                        {Denied: true},
		"unexpected status from HEAD request to https://registry.example.com/v2/acme/app/manifests/1: 403 Forbidden":                                                               {Denied: true},
		"Error response from daemon: denied":       {Denied: true},
		"Error response from daemon: unauthorized": {Denied: true},
		"Error response from daemon: error parsing HTTP 403 response body: unexpected end of JSON input: \"\"":                      {Denied: true},
		"Error response from daemon: error parsing HTTP 502 response body: unexpected end of JSON input: \"\"":                      {},
		"Error response from daemon: toomanyrequests: You have reached your unauthenticated pull rate limit.":                       {Limited: true},
		"toomanyrequests: unauthorized: too many failed logins":                                                                     {Limited: true},
		"Error response from daemon: Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host": {},
		"docker pull acme/denied:1@sha256:5b: exit status 1: received unexpected HTTP status: 502 Bad Gateway":                      {},
	} {
		got := unavailable(errors.New(text))
		if got.Denied != want.Denied || got.Limited != want.Limited {
			t.Errorf("%s: denied %v, limited %v, want %+v", text, got.Denied, got.Limited, want)
		}
	}
}

func TestRejectedKeepsTheLast(t *testing.T) {
	var r Rejected
	for n := range maxRejected + 2 {
		r.Add(strings.Repeat("x", n+1))
		r.Add(strings.Repeat("x", n+1))
	}
	if got := len(strings.Fields(string(r))); got != maxRejected || r.Has("x") || r.Has("xx") || !r.Has("xxx") || !r.Has(strings.Repeat("x", maxRejected+2)) {
		t.Errorf("%d: %s", got, r)
	}
	r.Remove("xxx")
	if r.Has("xxx") || !r.Has("xxxx") || r.Has("") {
		t.Errorf("%s", r)
	}
}
