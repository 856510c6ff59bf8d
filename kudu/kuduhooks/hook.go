package kuduhooks

import (
	"context"
	"errors"
	"net/http"

	"github.com/hookhouse/hookhouse/internal/dotnet"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// maxContexts bounds the bodies in the answer to a list, in bytes.
const maxContexts = 4 << 20

// A hook is an endpoint in the form of the API (Kudu: WebHook.cs).
type hook struct {
	ID           string  `json:"id"`
	Event        string  `json:"event"`
	URL          string  `json:"url"`
	InsecureSSL  bool    `json:"insecure_ssl"`
	LastStatus   *string `json:"last_status"`
	LastReason   *string `json:"last_reason"`
	LastDatetime string  `json:"last_datetime"`
	LastContext  *string `json:"last_context"`
}

// isHook reports whether the endpoint was created by a Handler with this owner.
func (h *Handler) isHook(e *publish.Endpoint) bool {
	return e.Owner == h.owner() && e.Meta[eventMeta] != ""
}

// hookOf returns an endpoint without its last body.
func hookOf(e *publish.Endpoint) *hook {
	made := &hook{ID: e.ID, Event: e.Meta[eventMeta], URL: addressOf(e).String(), InsecureSSL: e.InsecureSkipVerify, LastDatetime: dotnet.NeverSet}
	if last := e.Last; last.Event != "" {
		status, reason := "Failure", last.Reason
		if last.Status != 0 {
			status, reason = dotnet.StatusName(last.Status), http.StatusText(last.Status)
		}
		made.LastStatus, made.LastReason, made.LastDatetime = &status, &reason, dotnet.Time(last.At)
	}
	return made
}

// lastBody returns the body of the last attempt, or nil if there is none of up to limit
// bytes.
func (h *Handler) lastBody(ctx context.Context, e *publish.Endpoint, limit int) (*string, error) {
	if e.Last.Event == "" || limit <= 0 {
		return nil, nil
	}
	body, err := h.publisher.Payload(ctx, e.Last.Event)
	switch {
	case errors.Is(err, webhook.ErrNotFound), errors.Is(err, publish.ErrUnsupported), err == nil && len(body) > limit:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return new(string(body)), nil
}

// list answers with all hooks.
func (h *Handler) list(w http.ResponseWriter, r *http.Request) {
	hooks := []*hook{} // encodes as [], not as null
	left := maxContexts
	for e, err := range h.publisher.Endpoints(r.Context(), publish.Filter{Owners: []string{h.owner()}}) {
		if err != nil {
			h.fail(w, r, err)
			return
		}
		if !h.isHook(e) {
			continue
		}
		body, err := h.lastBody(r.Context(), e, left)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		one := hookOf(e)
		if one.LastContext = body; body != nil {
			left -= len(*body)
		}
		hooks = append(hooks, one)
	}
	answer(w, http.StatusOK, hooks)
}

// get answers with one hook.
func (h *Handler) get(w http.ResponseWriter, r *http.Request) {
	if e := h.endpoint(w, r); e != nil {
		h.answerHook(w, r, http.StatusOK, e)
	}
}

// remove deletes a hook.
func (h *Handler) remove(w http.ResponseWriter, r *http.Request) {
	e := h.endpoint(w, r)
	if e == nil {
		return
	}
	if err := h.publisher.Delete(r.Context(), e.ID); err != nil {
		h.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// endpoint returns the hook that the path names. If there is none, it answers 404 and
// returns nil.
func (h *Handler) endpoint(w http.ResponseWriter, r *http.Request) *publish.Endpoint {
	e, err := h.publisher.Get(r.Context(), r.PathValue("id"))
	switch {
	case err == nil && !h.isHook(e):
		h.fail(w, r, publish.ErrNotFound)
		return nil
	case err != nil:
		h.fail(w, r, err)
		return nil
	}
	return e
}

// answerHook answers with a hook and its last body.
func (h *Handler) answerHook(w http.ResponseWriter, r *http.Request, status int, e *publish.Endpoint) {
	made := hookOf(e)
	var err error
	if made.LastContext, err = h.lastBody(r.Context(), e, maxContexts); err != nil {
		h.fail(w, r, err)
		return
	}
	answer(w, status, made)
}
