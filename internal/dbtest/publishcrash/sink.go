package publishcrash

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
)

// maxAnswer is the maximum time until a request is answered.
const maxAnswer = 10 * time.Millisecond

// newSink starts the server of all endpoints. The path of an endpoint is its ID.
func newSink(a *account) (*httptest.Server, error) {
	verifier := &webhook.StandardWebhooks{Keys: []webhook.Key{{Label: "test", Secret: secret}}}
	if err := verifier.Validate(); err != nil {
		return nil, err
	}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := time.Now()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the publisher was killed while it sent
		}
		q := request{at: at, endpoint: strings.TrimPrefix(r.URL.Path, "/"), name: nameOf(r.Header.Get("Content-Type")), id: r.Header.Get("Webhook-Id")}
		q.life, _ = strconv.Atoi(r.UserAgent()) // zero is found
		if _, err := verifier.Verify(r, body); err != nil {
			q.fault = err.Error()
		} else if string(body) != parseEvent(q.name).body() {
			q.fault = "it has not the bytes that were published"
		}
		e := a.begin(q)
		if e == nil {
			return
		}
		_ = wait.Part(r.Context(), maxAnswer) // it has arrived, even if the publisher is killed now
		a.end(e)
	})), nil
}
