package receive

import (
	"encoding/json"
	"io"
	"net/http"

	playgrounddocker "github.com/go-playground/webhooks/v6/docker"
	playground "github.com/go-playground/webhooks/v6/github"
	gogithub "github.com/google/go-github/v84/github"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/hookhouse/hookhouse/internal/bench/sender"
)

// Each peer runs in the handler that its documentation shows, behind a limit for
// the body, which none of them sets itself.
const (
	pushLimit  = 25 << 20
	imageLimit = 3 << 20
)

func openPlayground(accept func(any)) http.Handler {
	hook, err := playground.New(playground.Options.Secret(sender.Secret))
	if err != nil {
		panic(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, pushLimit)
		payload, err := hook.Parse(r, playground.PushEvent)
		if err != nil {
			http.Error(w, "refused", http.StatusUnauthorized)
			return
		}
		switch payload.(type) {
		case playground.PushPayload:
			accept(payload)
		}
		w.WriteHeader(http.StatusAccepted)
	})
}

func openGoGitHub(accept func(any)) http.Handler {
	secret := []byte(sender.Secret)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, pushLimit)
		payload, err := gogithub.ValidatePayload(r, secret)
		if err != nil {
			http.Error(w, "refused", http.StatusUnauthorized)
			return
		}
		event, err := gogithub.ParseWebHook(gogithub.WebHookType(r), payload)
		if err != nil {
			http.Error(w, "malformed", http.StatusBadRequest)
			return
		}
		if e, ok := event.(*gogithub.PushEvent); ok {
			accept(e)
		}
		w.WriteHeader(http.StatusAccepted)
	})
}

// openStandard decodes into Hookhouse's payload, as the library has none.
func openStandard(accept func(any)) http.Handler {
	hook, err := standardwebhooks.NewWebhook(sender.StandardSecret)
	if err != nil {
		panic(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, pushLimit))
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		if err := hook.Verify(payload, r.Header); err != nil {
			http.Error(w, "refused", http.StatusUnauthorized)
			return
		}
		p := new(pushPayload)
		if err := json.Unmarshal(payload, p); err != nil {
			http.Error(w, "malformed", http.StatusBadRequest)
			return
		}
		accept(p)
		w.WriteHeader(http.StatusAccepted)
	})
}

func openPlaygroundDocker(accept func(any)) http.Handler {
	hook, err := playgrounddocker.New()
	if err != nil {
		panic(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, imageLimit)
		payload, err := hook.Parse(r, playgrounddocker.BuildEvent)
		if err != nil {
			http.Error(w, "refused", http.StatusBadRequest)
			return
		}
		accept(payload)
		w.WriteHeader(http.StatusAccepted)
	})
}
