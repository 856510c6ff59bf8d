package webhooktest_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// Request is the request that Deliver makes.
func TestRequestIsWhatASenderSends(t *testing.T) {
	target, got := server(t, status(http.StatusOK))
	body := []byte(`{"a":1}`)
	g, j, h, k := &webhooktest.GitHub{Secret: secret}, &webhooktest.JobServ{Secret: secret}, &webhooktest.DockerHub{}, &webhooktest.Kudu{}
	for name, sender := range map[string]struct {
		deliver func() webhooktest.Result
		request func(target string) (*http.Request, error)
	}{
		"github": {func() webhooktest.Result { return g.Redeliver(t.Context(), "a guid", target, "push", body) }, func(to string) (*http.Request, error) {
			return g.Request(t.Context(), "a guid", to, "push", body)
		}},
		"jobserv": {func() webhooktest.Result { return j.Deliver(t.Context(), target, body) }, func(to string) (*http.Request, error) {
			return j.Request(t.Context(), to, body)
		}},
		"dockerhub": {func() webhooktest.Result { return h.Deliver(t.Context(), target, body) }, func(to string) (*http.Request, error) {
			return h.Request(t.Context(), to, body)
		}},
		"kudu": {func() webhooktest.Result { return k.Deliver(t.Context(), target, body) }, func(to string) (*http.Request, error) {
			return k.Request(t.Context(), to, body)
		}},
	} {
		*got = nil
		if result := sender.deliver(); !result.Delivered {
			t.Errorf("%s: %+v", name, result)
		}
		r, err := sender.request(target)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		for i := range *got {
			(*got)[i].header.Del("Connection") // a matter of the transport
		}
		if d := cmp.Diff((*got)[0], (*got)[1], cmp.AllowUnexported(request{})); d != "" {
			t.Errorf("%s: -Deliver +Request\n%s", name, d)
		}
		if _, err := sender.request("file:///etc"); !errors.Is(err, webhooktest.ErrTarget) {
			t.Errorf("%s of a file: %v, want ErrTarget", name, err)
		}
	}
	first, err := g.Request(t.Context(), "", target, "push", body)
	if err != nil {
		t.Fatal(err)
	}
	second, err := g.Request(t.Context(), "", target, "push", body)
	if err != nil || first.Header.Get("X-GitHub-Delivery") == "" || first.Header.Get("X-GitHub-Delivery") == second.Header.Get("X-GitHub-Delivery") {
		t.Errorf("%v: the GUIDs are %q and %q", err, first.Header.Get("X-GitHub-Delivery"), second.Header.Get("X-GitHub-Delivery"))
	}
	if _, err := (&webhooktest.JobServ{}).Request(t.Context(), target, body); !errors.Is(err, webhooktest.ErrNoSecret) {
		t.Errorf("JobServ without a secret: %v", err)
	}
	if _, err := g.Request(t.Context(), "", target, "push", make([]byte, 25<<20+1)); !errors.Is(err, webhooktest.ErrTooLarge) {
		t.Errorf("GitHub of 25 MB: %v", err)
	}
}
