package status

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

const secret = "ghp_s3cret"

// reporter returns a Reporter to a server.
func reporter(t *testing.T, handler http.HandlerFunc) Reporter {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	api, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return Reporter{API: api, Token: webhook.NewSecret(secret), PagesURL: "https://ci.example.com"}
}

// endless writes a text until the client has gone.
func endless(w http.ResponseWriter, r *http.Request, text string) {
	for r.Context().Err() == nil {
		if _, err := io.WriteString(w, text); err != nil {
			return
		}
	}
}

func TestOddAnswersAreShortErrorsThatNameTheStatus(t *testing.T) {
	for name, tt := range map[string]struct {
		answer      http.HandlerFunc
		send, check string // in the errors; empty: none
	}{
		"what is right": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			if r.Method == http.MethodPost {
				w.WriteHeader(http.StatusCreated)
			}
			_, _ = io.WriteString(w, `{"id":1,"full_name":"acme/app"}`)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done() // the end of the body does not matter
		}, "", ""},
		"another protocol": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			_, _ = io.Copy(io.Discard, conn) // until the client closes it
			_ = conn.Close()
		}, "status 101", "status 101"},
		"no content": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
		}, "204 No Content", "204 No Content"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				t.Error("the redirect is followed")
			}
			http.Redirect(w, r, "/elsewhere", http.StatusPermanentRedirect)
		}, "308 Permanent Redirect to status \"success\" of acme/app (the repository has another name", "308 Permanent Redirect to GITHUB_TOKEN (the repository has another name"},
		"a page instead of the API": {func(w http.ResponseWriter, r *http.Request) {
			endless(w, r, "<!DOCTYPE html><p>Sign in")
		}, `200 OK to status "success" of acme/app: "<!DOCTYPE html>`, "answered 200 OK and no repository: it is not the API of GitHub"},
		"an endless space": {func(w http.ResponseWriter, r *http.Request) {
			endless(w, r, "          ")
		}, "200 OK", "no repository"},
	} {
		t.Run(name, func(t *testing.T) {
			r := reporter(t, tt.answer)
			e := &webhook.Event[Status]{Payload: Status{Repository: "acme/app", Commit: strings.Repeat("a", 40), State: "success"}}
			for what, got := range map[string]struct {
				err  error
				want string
			}{"Send": {r.Send(t.Context(), e), tt.send}, "Check": {r.Check(t.Context(), "acme/app"), tt.check}} {
				switch {
				case got.want == "" && got.err != nil:
					t.Errorf("%s: got %v, want no error", what, got.err)
				case got.want != "" && (got.err == nil || !strings.Contains(got.err.Error(), got.want) || strings.Contains(got.err.Error(), secret) || len(got.err.Error()) > 1000):
					t.Errorf("%s: got %v, want a short error with %q", what, got.err, got.want)
				}
				if webhook.IsPermanent(got.err) {
					t.Errorf("%s: it is not tried again", what)
				}
			}
		})
	}
}
