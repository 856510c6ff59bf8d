package notice

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// sendTo posts to a server and returns the error.
func sendTo(t *testing.T, handler http.HandlerFunc) error {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := NewURL("notify", webhook.NewSecret(server.URL+"/s3cret"))
	if err != nil {
		t.Fatal(err)
	}
	return c.send(t.Context(), rolledBack)
}

func TestAnswersOtherThan2xxAreErrorsThatNameTheStatus(t *testing.T) {
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   string // in the error; empty: none
	}{
		"another protocol": {func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			_, _ = io.Copy(io.Discard, conn) // until the client closes it
			_ = conn.Close()
		}, "status 101"},
		"early hints and no content": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusNoContent)
		}, ""},
		"success whose body does not end": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "ok")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, ""},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				t.Error("the redirect is followed")
			}
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, "status 307"},
		"an endless page": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, "<!DOCTYPE html><p>Bad gateway"); err != nil {
					return
				}
			}
		}, `status 502: "<!DOCTYPE html><p>`},
	} {
		t.Run(name, func(t *testing.T) {
			err := sendTo(t, tt.answer)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "s3cret") || len(err.Error()) > 500):
				t.Errorf("got %v, want a short error with %q", err, tt.want)
			}
		})
	}
}
