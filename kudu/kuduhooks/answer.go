package kuduhooks

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// maxSubscription is the largest body of a subscription in bytes.
const maxSubscription = 64 << 10

// readJSON returns the body of a request, which may be empty. If it is not JSON of up to
// limit bytes, it answers and ok is false.
func readJSON(w http.ResponseWriter, r *http.Request, limit int64) (body []byte, ok bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes", limit))
		return nil, false
	}
	switch empty := len(bytes.TrimSpace(body)) == 0; {
	case err != nil:
		refuse(w, http.StatusBadRequest, "the body ends early")
	case empty:
		return nil, true
	case media != "application/json":
		refuse(w, http.StatusUnsupportedMediaType, "the Content-Type must be application/json")
	case !json.Valid(body):
		refuse(w, http.StatusBadRequest, "the body is not JSON")
	default:
		return body, true
	}
	return nil, false
}

// answer writes v as JSON.
func answer(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		status, text = http.StatusInternalServerError, nil // no value of this package fails
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// refuse answers with an error in the form of ASP.NET, which [kudu.Client] reads.
func refuse(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]string{"Message": message})
}

// fail answers with what the Publisher has returned. Its faults are logged, and not told to
// the caller.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, publish.ErrNotFound):
		refuse(w, http.StatusNotFound, "there is no such hook")
	case errors.Is(err, publish.ErrEndpoint), errors.Is(err, publish.ErrEvent):
		refuse(w, http.StatusBadRequest, err.Error())
	default:
		cmp.Or(h.publisher.Logger, slog.Default()).Error("kuduhooks: request failed", "method", r.Method, "reason", err)
		refuse(w, http.StatusInternalServerError, "the hooks cannot be read or changed now")
	}
}
