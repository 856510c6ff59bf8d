package dockerhub_test

import (
	"strings"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/dockerhub/dockerhubtest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// push sets the image of a tag, such as acme/app:latest, and returns its digest.
func push(hub *dockerhubtest.Server, image, content string) string {
	return hub.Push(image, "kim", content)
}

// count returns how many requests begin with a text, such as "HEAD registry-1.docker.io".
func count(hub *dockerhubtest.Server, prefix string) (n int) {
	for _, r := range hub.Requests() {
		if strings.HasPrefix(r.Method+" "+r.Host+r.Path, prefix) {
			n++
		}
	}
	return n
}

// clientOf returns a Client of a Server.
func clientOf(hub *dockerhubtest.Server, user, password string) *dockerhub.Client {
	c := dockerhub.NewClient(user, webhook.NewSecret(password))
	c.Transport = webhooktest.InMemory(hub)
	return c
}
