package service

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A roundTrip is a transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A silence is a body that never comes.
type silence struct{ ctx context.Context }

func (s silence) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

func (silence) Close() error { return nil }

// A service that says nothing, in a live list or in the text of an error, is given up.
func TestALiveListThatIsQuietIsGivenUp(t *testing.T) {
	for name, answer := range map[string]http.Response{
		"a live list": {StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {kindLive}}},
		"an error":    {StatusCode: http.StatusServiceUnavailable, Header: http.Header{"Content-Type": {kindJSON}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, err := New("http://service.example/", "", webhook.Secret{})
				if err != nil {
					t.Fatal(err)
				}
				c.http.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
					answer.Body, answer.Request = silence{r.Context()}, r
					return &answer, nil
				})
				began := time.Now()
				s, err := c.Live(t.Context(), webhook.Filter{})
				if err == nil {
					_, err = s.Next()
					s.Close()
				}
				if took := time.Since(began); !errors.Is(err, errQuiet) || errors.Is(err, io.EOF) || took != quietFor {
					t.Errorf("after %v: %v, want errQuiet after %v", took, err, quietFor)
				}
			})
		})
	}
}
