package dockerhubtest_test

import (
	"context"
	"fmt"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/dockerhub/dockerhubtest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A client that lacks the credentials of a private repository.
func Example() {
	hub := &dockerhubtest.Server{User: "kim", Password: webhook.NewSecret("s3cret")}
	hub.Push("acme/app:latest", "kim", "a manifest")
	hub.SetPrivate("acme/app", true)
	for _, password := range []string{"s3cret", "wrong"} {
		client := dockerhub.NewClient("kim", webhook.NewSecret(password))
		client.Transport = webhooktest.InMemory(hub)
		digest, err := client.Digest(context.Background(), "acme/app", "latest")
		fmt.Printf("%.19s %v\n", digest, err)
	}
	// Output:
	// sha256:e59625a82249 <nil>
	//  dockerhub: digest of acme/app:latest: token: status 401
}
