package powerloss

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// A front is a Receiver over HTTP, with a client.
type front struct {
	*httptest.Server
	run *run
}

func newFront(r *run) *front {
	receiver := webhook.NewReceiver(webhook.Source{
		Name:     "power",
		Verifier: new(webhook.InsecureAcceptAll),
		Describe: func(r *http.Request, _ []byte) webhook.Description {
			id := r.Header.Get("X-Id")
			return webhook.Description{ID: id, Type: "power.loss", OrderingKey: r.Header.Get("X-Key")}
		},
	}, webhook.Store(r.inbox))
	receiver.Logger = slog.New(slog.DiscardHandler)
	f := &front{run: r}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		q.Body = io.NopCloser(strings.NewReader(string(body)))
		// The answer is held back, so that the power fails before its first byte.
		answer := httptest.NewRecorder()
		receiver.ServeHTTP(answer, q)
		if answer.Code == http.StatusAccepted {
			var accepted struct{ UID string }
			if err := json.Unmarshal(answer.Body.Bytes(), &accepted); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			r.acknowledged(accepted.UID, string(body))
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}))
	return f
}

func (f *front) send(ctx context.Context, sender, n int) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, f.URL, strings.NewReader(f.run.body(sender, n)))
	if err != nil {
		return err
	}
	q.Header.Set("X-Id", fmt.Sprintf("%d-%d", sender, n))
	q.Header.Set("X-Key", key(sender, n))
	answer, err := f.Client().Do(q)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusAccepted {
		return fmt.Errorf("powerloss: delivery %d of sender %d was answered %s", n, sender, answer.Status)
	}
	return nil
}
