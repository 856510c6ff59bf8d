package kuduhooks

import "net/http"

// defaultMaxPayload is the one of a Publisher, whose MaxPayload may be zero.
const defaultMaxPayload = 1 << 20

// publish publishes the body, byte for byte. An empty one is null, as in Kudu.
func (h *Handler) publish(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("event")
	if err := checkEvent(name); err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	limit := h.publisher.MaxPayload
	if limit <= 0 {
		limit = defaultMaxPayload
	}
	body, ok := readJSON(w, r, limit)
	if !ok {
		return
	}
	if len(body) == 0 {
		body = []byte("null")
	}
	if _, err := h.publisher.Publish(r.Context(), h.Event(name, body)); err != nil {
		h.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusOK)
}
