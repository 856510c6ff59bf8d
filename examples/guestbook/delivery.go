package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

const (
	// attemptsPerPage is the number of attempts on a page of the list.
	attemptsPerPage = 50
	// maxAttempts is the largest number of attempts on the page of a delivery.
	maxAttempts = 100
)

// unsuccessful are the results that the list can be limited to.
var unsuccessful = []publish.Result{publish.Failed, publish.Rejected, publish.Skipped}

// attempts returns the attempts that match f.
func (s *site) attempts(r *http.Request, f publish.AttemptFilter) (list []publish.Attempt, err error) {
	for a, err := range s.publisher.Attempts(r.Context(), f) {
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// listDeliveries serves the attempts of a webhook, newest first.
func (s *site) listDeliveries(w http.ResponseWriter, r *http.Request) {
	e := s.webhook(w, r)
	if e == nil {
		return
	}
	query := r.URL.Query()
	f := publish.AttemptFilter{Endpoint: e.ID, Limit: attemptsPerPage + 1}
	f.Before, _ = strconv.ParseInt(query.Get("before"), 10, 64) // 0 is the first page
	failed := query.Get("failed") == "1"
	if failed {
		f.Results = unsuccessful
	}
	list, err := s.attempts(r, f)
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	older := ""
	if len(list) > attemptsPerPage {
		list = list[:attemptsPerPage]
		next := url.Values{"before": {strconv.FormatInt(list[attemptsPerPage-1].Seq, 10)}}
		if failed {
			next.Set("failed", "1")
		}
		older = next.Encode()
	}
	s.render(w, http.StatusOK, "deliveries.html", map[string]any{
		"Title": "Deliveries", "Webhook": e, "Attempts": list, "Failed": failed, "Older": older,
	})
}

// showDelivery serves what was sent to a webhook for one event, and the attempts.
func (s *site) showDelivery(w http.ResponseWriter, r *http.Request) {
	e := s.webhook(w, r)
	if e == nil {
		return
	}
	event := r.PathValue("event")
	body, err := s.publisher.Payload(r.Context(), event)
	gone := errors.Is(err, webhook.ErrNotFound)
	if err != nil && !gone {
		s.internalError(w, r, err)
		return
	}
	list, err := s.attempts(r, publish.AttemptFilter{Endpoint: e.ID, Event: event, Limit: maxAttempts})
	switch {
	case err != nil:
		s.internalError(w, r, err)
		return
	case gone && len(list) == 0:
		s.failed(w, r, webhook.ErrNotFound)
		return
	}
	s.render(w, http.StatusOK, "delivery.html", map[string]any{
		"Title": "Delivery", "Webhook": e, "Event": event, "Gone": gone, "Payload": readable(body), "Attempts": list, "Notice": notice(r),
	})
}

// readable returns a body as text, and JSON with a line for each member.
func readable(body []byte) string {
	var lines bytes.Buffer
	if json.Indent(&lines, body, "", "  ") == nil {
		body = lines.Bytes()
	}
	return strings.ToValidUTF8(string(body), "\uFFFD")
}

// resendDelivery sends one event again.
func (s *site) resendDelivery(w http.ResponseWriter, r *http.Request) {
	event := r.PathValue("event")
	if err := s.publisher.ResendEvent(r.Context(), r.PathValue("id"), event, webhook.Note{By: by, Why: "resend"}); err != nil {
		s.failed(w, r, err)
		return
	}
	done(w, r, "/deliveries/"+url.PathEscape(event), "sent")
}
