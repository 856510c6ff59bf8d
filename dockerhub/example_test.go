package dockerhub_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/webhook"
)

// This program creates a Source, mounts a Receiver for it, receives one call
// and prints its content.
func Example() {
	token := webhook.NewSecret("kJ8sQ2vX5nB7mT4wR9zL3cF6hD1gY0pA") // from the environment in a real program

	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, e *webhook.Event[dockerhub.Push]) error {
		p := e.Payload
		fmt.Println(e.Type, e.OrderingKey)
		fmt.Println(p.Reference(), "by", p.PushData.Pusher, "at", p.PushData.PushedAt.UTC())
		return nil
	})
	routes := http.NewServeMux()
	routes.Handle("/hooks/dockerhub/{token}", webhook.NewReceiver(dockerhub.Source(token), &mux))

	// Docker Hub makes this call.
	body := `{"push_data":{"pushed_at":1714564800,"pusher":"ci-bot","tag":"1.4.0"},` +
		`"repository":{"repo_name":"northwind/scale","name":"scale","namespace":"northwind"}}`
	answer := httptest.NewRecorder()
	routes.ServeHTTP(answer, httptest.NewRequest(http.MethodPost,
		"/hooks/dockerhub/kJ8sQ2vX5nB7mT4wR9zL3cF6hD1gY0pA", strings.NewReader(body)))
	fmt.Println(answer.Code)
	// Output:
	// dockerhub.push northwind/scale:1.4.0
	// docker.io/northwind/scale:1.4.0 by ci-bot at 2024-05-01 12:00:00 +0000 UTC
	// 202
}

// An http.Handler behind the middleware gets the verified delivery from the
// request's context.
func ExampleSource_middleware() {
	token := webhook.NewSecret("kJ8sQ2vX5nB7mT4wR9zL3cF6hD1gY0pA")
	handler := dockerhub.Source(token).Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, _ := webhook.DeliveryFromContext(r.Context())
		e, err := webhook.Decode[dockerhub.Push](d)
		if err != nil {
			http.Error(w, "malformed", http.StatusBadRequest)
			return
		}
		fmt.Println(e.Payload.Image())
		w.WriteHeader(http.StatusAccepted)
	}))

	body := `{"push_data":{"tag":"1.4.0"},"repository":{"repo_name":"northwind/scale"}}`
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodPost,
		"/?token=kJ8sQ2vX5nB7mT4wR9zL3cF6hD1gY0pA", strings.NewReader(body)))
	fmt.Println(answer.Code)
	// Output:
	// northwind/scale:1.4.0
	// 202
}

// A release pushes several tags. This program deploys full versions only.
func ExampleTag_IsVersion() {
	for _, tag := range []dockerhub.Tag{"v1.4.0", "1.5.0-rc.1", "1.4", "1", "latest", "sha-0a1b2c3"} {
		fmt.Println(tag, tag.IsVersion() && !tag.IsPrerelease())
	}
	// Output:
	// v1.4.0 true
	// 1.5.0-rc.1 false
	// 1.4 false
	// 1 false
	// latest false
	// sha-0a1b2c3 false
}
