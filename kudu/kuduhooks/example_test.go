package kuduhooks_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/kudu/kuduhooks"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// A program offers its deployments to those who know Kudu's API, with a password.
func Example() {
	publisher := publish.New(&webhook.MemInbox{}, &publish.MemStore{})
	publisher.Transport = http.DefaultTransport // for the example: names are not resolved
	password := webhook.NewSecret("deployment-password")

	hooks := kuduhooks.New(publisher, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			user, given, _ := r.BasicAuth()
			if user != "$app" || !password.Equal([]byte(given)) {
				w.Header().Set("WWW-Authenticate", `Basic realm="hooks"`)
				http.Error(w, "user and password are needed", http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	mux := http.NewServeMux()
	mux.Handle("/api/hooks", hooks)
	mux.Handle("/api/hooks/", hooks)
	site := httptest.NewServer(mux)
	defer site.Close()

	// Somebody subscribes, as they would at Kudu.
	ctx := context.Background()
	client, err := kudu.NewClient(site.URL, kudu.Basic("$app", password))
	if err != nil {
		panic(err)
	}
	hook, err := client.Ensure(ctx, kudu.Hook{URL: "https://ci.example.com/hooks/kudu", Event: kudu.EventPostDeployment})
	fmt.Println(hook.Event, hook.URL, err)

	// The program publishes; publisher.Run sends it.
	_, err = publisher.Publish(ctx, hooks.Event(kudu.EventPostDeployment, kudu.Deployment{ID: "9f2c", Status: kudu.StatusSuccess}))
	fmt.Println(err)
	// Output:
	// PostDeployment https://ci.example.com/hooks/kudu <nil>
	// <nil>
}
