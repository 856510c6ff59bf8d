package publishing

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// A receiver is the URL of an endpoint. It answers 503 to the first request, 401 to one that
// does not verify, and 204 to others, whose bodies it gives to accepted.
type receiver struct {
	URL      string
	accepted chan string
	requests atomic.Int32
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{accepted: make(chan string, 10)}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

func (rec *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	rec.answer(w, string(body), func() error {
		verifier, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return err
		}
		return verifier.Verify(body, r.Header)
	})
}

func (rec *receiver) answer(w http.ResponseWriter, body string, verify func() error) {
	switch err := verify(); {
	case err != nil:
		http.Error(w, err.Error(), http.StatusUnauthorized)
	case rec.requests.Add(1) == 1:
		http.Error(w, "not now", http.StatusServiceUnavailable)
	default:
		w.WriteHeader(http.StatusNoContent)
		rec.accepted <- body
	}
}

// standIn takes messages as the API of Svix does, in place of the receiver: what follows is
// the work of the service. It answers 409 to a message that it has.
func standIn(to *receiver) http.Handler {
	var known atomic.Pointer[string]
	routes := http.NewServeMux()
	routes.HandleFunc("POST /api/v1/app/guestbook/msg", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			EventType string          `json:"eventType"`
			EventID   string          `json:"eventId"`
			Payload   json.RawMessage `json:"payload"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.EventType != "comment.created" || in.EventID == "" {
			http.Error(w, "{}", http.StatusUnprocessableEntity)
			return
		}
		if to.requests.Add(1) == 1 {
			http.Error(w, "{}", http.StatusServiceUnavailable)
			return
		}
		if last := known.Swap(&in.EventID); last != nil && *last == in.EventID {
			http.Error(w, "{}", http.StatusConflict)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusAccepted)
		_ = json.NewEncoder(w).Encode(map[string]any{"id": "msg_1", "eventType": in.EventType, "payload": in.Payload, "timestamp": time.Now()})
		to.accepted <- string(in.Payload)
	})
	return routes
}
