package webhooktest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestInMemoryWorksLikeAServer(t *testing.T) {
	client := http.Client{Transport: webhooktest.InMemory(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/from" {
			http.Redirect(w, r, "/to", http.StatusTemporaryRedirect)
			return
		}
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("X-Kept", "yes")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusTeapot)
		w.WriteHeader(http.StatusOK)
		w.Header().Set("X-Late", "yes")
		fmt.Fprintf(w, "%s %s %s %q", r.Method, r.Host, r.RequestURI, text)
	}))}
	resp, err := client.Post("http://a.test/from", "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || string(text) != `POST a.test /to "hello"` {
		t.Errorf("got %q, %v", text, err)
	}
	if resp.StatusCode != http.StatusTeapot || resp.Header.Get("X-Kept") != "yes" || resp.Header.Get("X-Late") != "" {
		t.Errorf("got %s with %v, want the first final status and its headers", resp.Status, resp.Header)
	}
}

func TestInMemoryReturnsAnErrorIfTheHandlerPanics(t *testing.T) {
	client := http.Client{Transport: webhooktest.InMemory(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic("a secret")
	}))}
	_, err := client.Get("http://a.test/")
	if !errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, want ErrUnexpectedEOF without the value of the panic", err)
	}
}

func TestInMemoryCancelsTheContextOfTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		canceled := make(chan error, 1)
		client := http.Client{
			Timeout: time.Minute,
			Transport: webhooktest.InMemory(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				<-r.Context().Done()
				canceled <- r.Context().Err()
			})),
		}
		if _, err := client.Get("http://a.test/"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("client: got %v", err)
		}
		if err := <-canceled; err == nil {
			t.Error("the context of the handler is not done")
		}
	})
}
