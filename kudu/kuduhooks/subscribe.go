package kuduhooks

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// subscribeTries is how often subscribe begins anew because another request has created or
// deleted the same hook.
const subscribeTries = 10

// subscribe creates a hook, or answers with the one that there is.
func (h *Handler) subscribe(w http.ResponseWriter, r *http.Request) {
	var requested *struct {
		URL         string `json:"url"`
		Event       string `json:"event"`
		InsecureSSL bool   `json:"insecure_ssl"`
	}
	body, ok := readJSON(w, r, maxSubscription)
	if !ok {
		return
	}
	if json.Unmarshal(body, &requested) != nil || requested == nil {
		refuse(w, http.StatusBadRequest, `the body must be {"url", "event", "insecure_ssl"}`)
		return
	}
	at, err := parseAddress(requested.URL)
	if err == nil {
		err = checkEvent(requested.Event)
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	name := at.name()
	for range subscribeTries {
		old, err := h.find(r, name)
		switch {
		case err != nil:
			h.fail(w, r, err)
			return
		case old != nil:
			h.answerExisting(w, r, old, requested.Event)
			return
		}
		made, err := h.publisher.Create(r.Context(), publish.Endpoint{
			ID:                 strconv.FormatInt(h.newID(), 10),
			Owner:              h.owner(),
			Name:               name,
			URL:                at.url,
			Events:             []string{eventType(requested.Event)},
			Scheme:             at.scheme(),
			Secrets:            at.secrets(),
			InsecureSkipVerify: requested.InsecureSSL,
			Meta:               map[string]string{eventMeta: requested.Event},
		})
		switch {
		case err == nil:
			answer(w, http.StatusCreated, hookOf(made))
			return
		case !errors.Is(err, publish.ErrExists):
			h.fail(w, r, err)
			return
		}
	}
	refuse(w, http.StatusConflict, "others keep changing the hook of this URL")
}

// find returns the hook with a name, or nil if there is none.
func (h *Handler) find(r *http.Request, name string) (*publish.Endpoint, error) {
	for e, err := range h.publisher.Endpoints(r.Context(), publish.Filter{Owners: []string{h.owner()}, Name: name, Limit: 1}) {
		return e, err
	}
	return nil, nil
}

// answerExisting answers with the hook that the URL has. One that was disabled becomes
// active again, since its owner wants it now.
func (h *Handler) answerExisting(w http.ResponseWriter, r *http.Request, e *publish.Endpoint, event string) {
	if !strings.EqualFold(e.Meta[eventMeta], event) {
		refuse(w, http.StatusConflict, "the URL has a hook for another event")
		return
	}
	if e.State == publish.Disabled {
		if _, err := h.publisher.Resume(r.Context(), e.ID); err != nil {
			h.fail(w, r, err)
			return
		}
	}
	h.answerHook(w, r, http.StatusCreated, e)
}
