package kudu_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/kudu/kudutest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

const (
	scm     = "https://app.scm.example"
	hookURL = "https://hook:s3cretpassword@ci.example.com/hooks/kudu/Deployments"
)

// newClient returns a Client for a site with a valid URL.
func newClient(site string, credentials kudu.CredentialsFunc) *kudu.Client {
	c, err := kudu.NewClient(site, credentials)
	if err != nil {
		panic(err)
	}
	return c
}

// clientOf returns a Client for scm whose Transport sends all calls to h.
func clientOf(h http.Handler) *kudu.Client {
	c := newClient(scm, kudu.Basic("$app", webhook.NewSecret("site-password")))
	c.Transport = webhooktest.InMemory(h)
	return c
}

// newSite returns a site that requires the credentials of clientOf. It sends
// the calls of its hooks to receiver.
func newSite(receiver http.Handler) *kudutest.Server {
	return &kudutest.Server{User: "$app", Password: webhook.NewSecret("site-password"), Transport: webhooktest.InMemory(receiver)}
}

func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func deploymentHook() kudu.Hook {
	return kudu.Hook{URL: hookURL, Event: kudu.EventPostDeployment}
}

// neverAnswer is a receiver that does not answer.
func neverAnswer(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
