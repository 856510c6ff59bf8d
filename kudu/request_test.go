package kudu_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/kudu"
)

func TestErrorsByAnswer(t *testing.T) {
	for _, tc := range []struct {
		name    string
		status  int
		body    string
		want    error
		code    int // of the StatusError; 0 if err is none
		message string
	}{
		{"no credentials", 401, ``, kudu.ErrDenied, 401, ""},
		{"forbidden", 403, `<html>`, kudu.ErrDenied, 403, ""},
		{"a sign-in page", 302, `<html>`, kudu.ErrDenied, 302, ""},
		{"not Kudu", 404, `<html>`, kudu.ErrHookNotFound, 404, ""},
		{"a conflict", 409, ``, kudu.ErrHookConflict, 409, ""},
		{"a bad request", 400, `{"Message":"The request is invalid."}`, nil, 400, "The request is invalid."},
		{"a lock", 500, ``, kudu.ErrServer, 500, ""},
		{"a proxy's page", 502, `<html>`, kudu.ErrServer, 502, ""},
		{"a refused URL", 500, `{"Message":"An error has occurred.","ExceptionMessage":"Invalid hook address '` + hookURL + `'.","ExceptionType":"System.FormatException","StackTrace":"at ` + hookURL + `"}`,
			kudu.ErrServer, 500, "System.FormatException: Invalid hook address [URL]"},
		{"a long message", 500, `{"Message":"` + strings.Repeat("x", 255) + `é"}`, kudu.ErrServer, 500, strings.Repeat("x", 255)},
		{"not JSON", 200, `<html>`, kudu.ErrAnswer, 0, ""},
		{"an empty body", 200, ``, kudu.ErrAnswer, 0, ""},
		{"a hook without id", 200, `[{"url":"https://ci.example.com"}]`, kudu.ErrAnswer, 0, ""},
		{"a hook without URL", 200, `[{"id":"1"}]`, kudu.ErrAnswer, 0, ""},
		{"a hook of null", 200, `[null]`, kudu.ErrAnswer, 0, ""},
		{"a status of an object", 200, `[{"id":"1","url":"` + hookURL + `","last_status":{}}]`, kudu.ErrAnswer, 0, ""},
		{"too large", 200, `[` + strings.Repeat(" ", 1024) + `]`, kudu.ErrTooLarge, 0, ""},
		{"an error that is too large", 500, strings.Repeat(" ", 1025), kudu.ErrTooLarge, 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := clientOf(answering(tc.status, tc.body))
			c.MaxAnswer = 1024
			_, err := c.List(t.Context())
			if err == nil || tc.want != nil && !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			var status *kudu.StatusError
			if errors.As(err, &status) != (tc.code != 0) {
				t.Fatalf("got %v, want a StatusError: %v", err, tc.code != 0)
			}
			if tc.code != 0 && (status.Code != tc.code || status.Message != tc.message) {
				t.Errorf("got %d %q, want %d %q", status.Code, status.Message, tc.code, tc.message)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error contains the hook's URL: %v", err)
			}
		})
	}
}

func TestSubscribeAnsweredWithNullIsErrAnswer(t *testing.T) {
	if _, err := clientOf(answering(http.StatusCreated, "null")).Subscribe(t.Context(), deploymentHook()); !errors.Is(err, kudu.ErrAnswer) {
		t.Errorf("got %v, want ErrAnswer", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		site := httptest.NewServer(http.RedirectHandler(elsewhere.URL+"/common/oauth2", status))
		_, err := newClient(site.URL, nil).Subscribe(t.Context(), deploymentHook())
		site.Close()
		if !errors.Is(err, kudu.ErrDenied) || !strings.Contains(err.Error(), "sign in") {
			t.Errorf("%d: got %v, want ErrDenied", status, err)
		}
	}
}

func TestUnreachableSite(t *testing.T) {
	site := httptest.NewServer(nil)
	site.Close()
	_, err := newClient(site.URL, nil).Ensure(t.Context(), deploymentHook())
	if err == nil || !strings.Contains(err.Error(), "refused") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v, want the reason without the hook's URL", err)
	}
}

func TestCallTimesOutAndStopsOnCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clientOf(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		start := time.Now()
		if _, err := c.List(t.Context()); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 45*time.Second {
			t.Errorf("got %v after %v, want DeadlineExceeded after 45s", err, time.Since(start))
		}
		c.Timeout = time.Minute
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := c.Unsubscribe(ctx, "1"); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want Canceled", err)
		}
	})
}

func TestSiteWithAPath(t *testing.T) {
	var got string
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.URL.EscapedPath()
		fmt.Fprint(w, "null")
	}))
	defer site.Close()
	_, err := newClient(site.URL+"/proxy/", nil).Get(t.Context(), "a/b")
	if want := "/proxy/api/hooks/a%2Fb"; got != want || !errors.Is(err, kudu.ErrHookNotFound) {
		t.Errorf("asked for %s, %v, want %s", got, err, want)
	}
}

func TestCancelWithinAnAnswer(t *testing.T) {
	started := make(chan struct{})
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "[")
		w.(http.Flusher).Flush()
		close(started)
		<-r.Context().Done()
	}))
	defer site.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-started
		cancel(errors.New("shutting down"))
	}()
	if _, err := newClient(site.URL, nil).List(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want Canceled", err)
	}
}
