package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// webhooksPerPage is the number of webhooks on a page of the list.
const webhooksPerPage = 50

// A webhookForm is what the owner of a webhook can say of it.
type webhookForm struct {
	ID          string // of the new webhook, so that a form that is sent twice adds one
	URL         string
	Description string
	Events      []eventChoice
	Fault       string
}

// An eventChoice is a type of events with its box.
type eventChoice struct {
	Type    string
	Checked bool
}

// choices returns the boxes of all types.
func choices(checked func(typ string) bool) (boxes []eventChoice) {
	for _, typ := range eventTypes {
		boxes = append(boxes, eventChoice{typ, checked(typ)})
	}
	return boxes
}

// formOf returns the form that was sent.
func formOf(r *http.Request) webhookForm {
	return webhookForm{
		ID: field(r, "id"), URL: field(r, "url"), Description: field(r, "description"),
		Events: choices(func(typ string) bool { return slices.Contains(r.PostForm["event"], typ) }),
	}
}

// apply changes an endpoint as the form says.
func (f *webhookForm) apply(e *publish.Endpoint) {
	e.URL, e.Description, e.Events = f.URL, f.Description, nil
	for _, box := range f.Events {
		if box.Checked {
			e.Events = append(e.Events, box.Type)
		}
	}
}

// listWebhooks serves the list, with the form for a new one.
func (s *site) listWebhooks(w http.ResponseWriter, r *http.Request) {
	s.renderWebhooks(w, r, http.StatusOK, webhookForm{ID: newID(), URL: "https://", Events: choices(func(string) bool { return true })})
}

func (s *site) renderWebhooks(w http.ResponseWriter, r *http.Request, status int, form webhookForm) {
	after, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64) // 0 is the first page
	var list []*publish.Endpoint
	for e, err := range s.publisher.Endpoints(r.Context(), publish.Filter{After: after, Limit: webhooksPerPage + 1}) {
		if err != nil {
			s.internalError(w, r, err)
			return
		}
		list = append(list, e)
	}
	next := int64(0)
	if len(list) > webhooksPerPage {
		list = list[:webhooksPerPage]
		next = list[webhooksPerPage-1].Seq
	}
	s.render(w, status, "webhooks.html", map[string]any{
		"Title": "Webhooks", "Webhooks": list, "Next": next, "Form": form, "Notice": notice(r),
	})
}

// addWebhook adds a webhook and shows its secret, this once.
func (s *site) addWebhook(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	form := formOf(r)
	if !isID(form.ID) {
		form.ID = newID()
	}
	e := publish.Endpoint{ID: form.ID}
	form.apply(&e)
	made, err := s.publisher.Create(r.Context(), e)
	switch {
	case err == nil:
		s.renderSecret(w, made, "The webhook was added.")
	case errors.Is(err, publish.ErrExists): // the form was sent twice
		http.Redirect(w, r, "/webhooks/"+url.PathEscape(form.ID)+"?done=exists", http.StatusSeeOther)
	case errors.Is(err, publish.ErrEndpoint):
		form.Fault = faultOf(err, form.ID)
		s.renderWebhooks(w, r, http.StatusUnprocessableEntity, form)
	default:
		s.internalError(w, r, err)
	}
}

// renderSecret shows the newest secret of a webhook. No other page does.
func (s *site) renderSecret(w http.ResponseWriter, e *publish.Endpoint, what string) {
	newest := e.Secrets[len(e.Secrets)-1]
	s.render(w, http.StatusOK, "secret.html", map[string]any{
		"Title": "Secret of the webhook", "Webhook": e, "What": what, "Secret": string(newest.Reveal()),
		"Others": len(e.Secrets) - 1,
	})
}

// faultOf returns what is wrong with a webhook, without what is only for programs.
func faultOf(err error, id string) string {
	text := strings.TrimPrefix(err.Error(), fmt.Sprintf("%v %q: ", publish.ErrEndpoint, id))
	return strings.NewReplacer("publish: ", "", "addrguard: ", "").Replace(text)
}

// notices are what a page says after a change, by the parameter done.
var notices = map[string]string{
	"exists":  "The form was sent twice. The webhook was added once, and its secret was shown then. If you missed it, rotate it.",
	"edited":  "The changes are saved, and apply to deliveries that wait, too.",
	"paused":  "The webhook is paused. Its deliveries wait.",
	"resumed": "The webhook is active. What waited is sent now.",
	"resent":  "What the webhook had not got is sent again.",
	"sent":    "The delivery is sent again.",
	"tested":  "The test is on its way. Reload this page to see what came of it.",
	"deleted": "The webhook is deleted, and what waited for it is not sent.",
}

// notice returns what a page says after a change, or nothing.
func notice(r *http.Request) string { return notices[r.URL.Query().Get("done")] }
