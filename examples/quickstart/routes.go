package main

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

// A route is a Source and the path that it is served at.
type route struct {
	pattern string
	source  webhook.Source
	secrets []webhook.Secret
}

// newSources returns the routes of all senders, also of those without a secret.
// A demo waits only briefly for the end of a burst.
func newSources(s senders, demo bool) []route {
	hub := dockerhub.Source(s.dockerhub...)
	if demo {
		hub.Coalesce = webhook.Coalesce{Quiet: 300 * time.Millisecond, Max: 2 * time.Second}
	}
	return []route{
		{"/hooks/github", github.Source(s.github...), s.github},
		{"/hooks/jobserv", jobserv.Source(s.jobserv...), s.jobserv},
		{"/hooks/dockerhub/{token}", hub, s.dockerhub},
		{"/hooks/kudu/{token}", kudu.Source(s.kudu...), s.kudu},
		{"/hooks/kudu", kudu.BasicSource(s.kudu...), s.kudu},
	}
}

// routes mounts the senders that have a secret, and rest for all other paths. Receivers
// are mounted without a method and answer 405 themselves.
func routes(sources []route, inbox *store, inspector *inspect.Inspector, rest http.Handler, log *slog.Logger) *http.ServeMux {
	mux := http.NewServeMux()
	for _, r := range sources {
		if len(r.secrets) == 0 {
			log.Warn("not mounted: no secret", "sender", r.source.Name, "pattern", r.pattern)
			continue
		}
		receiver := webhook.NewReceiver(r.source, webhook.Store(inbox))
		receiver.Logger = log
		mux.Handle(r.pattern, inspector.Watch(r.source, receiver))
		log.Info("mounted", "sender", r.source.Name, "pattern", r.pattern)
	}
	mux.Handle("/", rest)
	return mux
}
