package main

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// by is who has changed something, in the history of a delivery.
const by = "guestbook"

// durations are the choices of the forms.
var durations = map[string]time.Duration{
	"now": 0, "1h": time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour,
}

// webhook returns the webhook that the path names. If there is none, it answers and returns
// nil.
func (s *site) webhook(w http.ResponseWriter, r *http.Request) *publish.Endpoint {
	e, err := s.publisher.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		s.failed(w, r, err)
		return nil
	}
	return e
}

// failed answers with what became of a change.
func (s *site) failed(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, publish.ErrNotFound):
		s.fail(w, http.StatusNotFound, "There is no such webhook. It may be deleted.")
	case errors.Is(err, webhook.ErrNotFound):
		s.fail(w, http.StatusNotFound, "This delivery is not stored any more.")
	case errors.Is(err, webhook.ErrState):
		s.fail(w, http.StatusConflict, "This delivery waits for an older one and cannot be sent now.")
	case errors.Is(err, publish.ErrEndpoint):
		s.fail(w, http.StatusUnprocessableEntity, faultOf(err, r.PathValue("id")))
	default:
		s.internalError(w, r, err)
	}
}

// done redirects to a page of the webhook, which says what was done.
func done(w http.ResponseWriter, r *http.Request, page, what string) {
	http.Redirect(w, r, "/webhooks/"+url.PathEscape(r.PathValue("id"))+page+"?done="+what, http.StatusSeeOther)
}

// change does something with the webhook of the path, and says so on its page.
func (s *site) change(w http.ResponseWriter, r *http.Request, what string, f func(id string) error) {
	if !s.form(w, r) {
		return
	}
	if err := f(r.PathValue("id")); err != nil {
		s.failed(w, r, err)
		return
	}
	done(w, r, "", what)
}

func (s *site) showWebhook(w http.ResponseWriter, r *http.Request) {
	if e := s.webhook(w, r); e != nil {
		s.renderWebhook(w, r, http.StatusOK, e, webhookForm{
			URL: e.URL, Description: e.Description, Events: choices(func(typ string) bool { return receives(e, typ) }),
		})
	}
}

func (s *site) renderWebhook(w http.ResponseWriter, r *http.Request, status int, e *publish.Endpoint, form webhookForm) {
	s.render(w, status, "webhook.html", map[string]any{"Title": "Webhook", "Webhook": e, "Form": form, "Notice": notice(r)})
}

// receives reports whether a webhook gets events of a type.
func receives(e *publish.Endpoint, typ string) bool {
	for _, pattern := range publish.Patterns(typ) {
		for _, own := range e.Events {
			if own == pattern {
				return true
			}
		}
	}
	return false
}

func (s *site) edit(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	form := formOf(r)
	_, err := s.publisher.Update(r.Context(), r.PathValue("id"), func(e *publish.Endpoint) error {
		form.apply(e)
		return nil
	})
	switch {
	case err == nil:
		done(w, r, "", "edited")
	case errors.Is(err, publish.ErrEndpoint):
		if e := s.webhook(w, r); e != nil {
			form.Fault = faultOf(err, e.ID)
			s.renderWebhook(w, r, http.StatusUnprocessableEntity, e, form)
		}
	default:
		s.failed(w, r, err)
	}
}

// test sends a made-up comment to this webhook alone, and shows what comes of it.
func (s *site) test(w http.ResponseWriter, r *http.Request) {
	sample := comment{ID: newID(), Name: "Test", Text: "This is a test of the webhook. Nobody has left this comment.", Time: time.Now()}
	event, err := s.publisher.Test(r.Context(), r.PathValue("id"), publish.Event{Type: commentCreated, Payload: sample.payload()})
	if err != nil {
		s.failed(w, r, err)
		return
	}
	done(w, r, "/deliveries/"+url.PathEscape(event), "tested")
}

func (s *site) pause(w http.ResponseWriter, r *http.Request) {
	s.change(w, r, "paused", func(id string) error {
		_, err := s.publisher.Pause(r.Context(), id, field(r, "why"))
		return err
	})
}

func (s *site) resume(w http.ResponseWriter, r *http.Request) {
	s.change(w, r, "resumed", func(id string) error {
		_, err := s.publisher.Resume(r.Context(), id)
		return err
	})
}

// rotate gives the webhook another secret and shows it, this once.
func (s *site) rotate(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	overlap, ok := durations[field(r, "overlap")]
	if !ok {
		s.fail(w, http.StatusUnprocessableEntity, "The form has no such time.")
		return
	}
	e, err := s.publisher.Rotate(r.Context(), r.PathValue("id"), webhook.Secret{}, overlap)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.renderSecret(w, e, "The webhook has a new secret.")
}

// resend sends what the webhook has not got.
func (s *site) resend(w http.ResponseWriter, r *http.Request) {
	s.change(w, r, "resent", func(id string) error {
		since, ok := durations[field(r, "since")]
		if !ok {
			since = time.Hour
		}
		_, err := s.publisher.Resend(r.Context(), id, time.Now().Add(-since), webhook.Note{By: by, Why: "resend"})
		return err
	})
}

// askDelete asks before a webhook is deleted.
func (s *site) askDelete(w http.ResponseWriter, r *http.Request) {
	if e := s.webhook(w, r); e != nil {
		s.render(w, http.StatusOK, "delete.html", map[string]any{"Title": "Delete the webhook", "Webhook": e})
	}
}

func (s *site) remove(w http.ResponseWriter, r *http.Request) {
	if err := s.publisher.Delete(r.Context(), r.PathValue("id")); err != nil {
		s.failed(w, r, err)
		return
	}
	http.Redirect(w, r, "/webhooks?done=deleted", http.StatusSeeOther)
}
