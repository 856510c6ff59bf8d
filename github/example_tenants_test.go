package github_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
)

// Tenants has the secrets of each tenant. In a service it is a table, and KeysFor a query:
//
//	SELECT secret FROM tenants WHERE name = $1
type Tenants struct {
	mu      sync.RWMutex
	away    error
	secrets map[string][]webhook.Secret // two while a tenant changes its secret
}

// Set replaces the secrets of a tenant, while requests are served.
func (t *Tenants) Set(name string, secrets ...webhook.Secret) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.secrets[name] = secrets
}

// KeysFor returns the keys of the tenant in the path, none for an unknown tenant. The
// label tells the callback whose key has matched.
func (t *Tenants) KeysFor(r *http.Request) ([]webhook.Key, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.away != nil {
		return nil, t.away
	}
	name := r.PathValue("tenant")
	var keys []webhook.Key
	for _, secret := range t.secrets[name] {
		keys = append(keys, webhook.Key{Label: name, Secret: secret})
	}
	return keys, nil
}

// Each tenant has a secret and a path of its own, with one Source. Scope keeps the
// deliveries of one tenant from being duplicates of another one's: both may have the same
// id, which the signature of GitHub does not cover.
func ExampleSource_tenants() {
	acme, globex := webhook.NewSecret("acme's secret"), webhook.NewSecret("globex's secret")
	tenants := &Tenants{secrets: map[string][]webhook.Secret{"acme": {acme}}}
	verifier := github.Verifier()
	verifier.KeysFor = tenants.KeysFor
	src := github.Source()
	src.Verifier = verifier
	src.Scope = func(r *http.Request) string { return r.PathValue("tenant") }

	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second) // in a service: until a signal
	defer stop()
	runs := 0
	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, e *webhook.Event[github.Push]) error {
		fmt.Println(e.KeyLabel, "pushed to", e.Payload.Repository.FullName, e.ID)
		if runs++; runs == 2 {
			stop()
		}
		return nil
	})
	inbox := new(webhook.MemInbox) // in a service: sqlinbox
	routes := http.NewServeMux()
	routes.Handle("/hooks/{tenant}/github", webhook.NewReceiver(src, webhook.Store(inbox)))

	fmt.Println("of acme:", postTo(routes, "/hooks/acme/github", acme, "push", examplePush))
	fmt.Println("of acme again:", postTo(routes, "/hooks/acme/github", acme, "push", examplePush))
	fmt.Println("of an unknown tenant:", postTo(routes, "/hooks/globex/github", globex, "push", examplePush))
	tenants.Set("globex", globex)
	fmt.Println("of globex:", postTo(routes, "/hooks/globex/github", globex, "push", examplePush))
	fmt.Println("of globex to acme:", postTo(routes, "/hooks/acme/github", globex, "push", examplePush))
	tenants.away = errors.New("the database is away")
	fmt.Println("of acme without the table:", postTo(routes, "/hooks/acme/github", acme, "push", examplePush))

	worker := webhook.NewWorker(inbox, &mux)
	worker.Concurrency = 1 // for the order of the output
	if err := worker.Run(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// of acme: 202
	// of acme again: 202
	// of an unknown tenant: 401
	// of globex: 202
	// of globex to acme: 401
	// of acme without the table: 503
	// acme pushed to tidewater/harbour 72d3162e-cc78-11e3-81ab-4c9367dc0958
	// globex pushed to tidewater/harbour 72d3162e-cc78-11e3-81ab-4c9367dc0958
}
