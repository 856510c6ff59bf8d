package service_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hookhouse/hookhouse/examples/hookhouse/service"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

const password = "2f9e-the-password-of-ops"

// serve serves h below /debug/hooks/ and returns a client of it.
func serve(t *testing.T, h http.Handler) *service.Client {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/debug/hooks/", h)
	server := httptest.NewServer(mux)
	c := client(t, server.URL+"/debug/hooks")
	t.Cleanup(func() {
		c.Close()
		server.CloseClientConnections()
		server.Close()
	})
	return c
}

func client(t *testing.T, url string) *service.Client {
	t.Helper()
	c, err := service.New(url, "ops", webhook.NewSecret(password))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answering returns a handler that answers each call alike.
func answering(status int, kind, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}
}

// newInspector returns an inspector of an inbox in memory.
func newInspector(t *testing.T) (*webhook.MemInbox, *inspect.Inspector) {
	t.Helper()
	inbox := &webhook.MemInbox{Logger: slog.New(slog.DiscardHandler)}
	in, err := inspect.New(inbox, inspect.BasicAuth(map[string]webhook.Secret{"ops": webhook.NewSecret(password)}))
	if err != nil {
		t.Fatal(err)
	}
	in.Logger = slog.New(slog.DiscardHandler)
	return inbox, in
}
