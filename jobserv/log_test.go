package jobserv_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

func TestLogRedirectToStorageSendsNoToken(t *testing.T) {
	for _, header := range []string{"", "OSF-TOKEN"} {
		storage := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for _, name := range []string{"Authorization", "Osf-Token", "Cookie", "Referer"} {
				if r.Header.Get(name) != "" {
					t.Errorf("storage got the header %s", name)
				}
			}
			fmt.Fprint(w, "stored log\n")
		}))
		defer storage.Close()
		server := httptest.NewTLSServer(http.RedirectHandler(storage.URL+"/bucket/log?sig=x", http.StatusFound))
		defer server.Close()
		c := newClient(token, server.URL)
		c.TokenHeader = header
		c.Transport = server.Client().Transport // both servers have the same certificate
		if got := readLog(t, c, jobserv.Run{URL: server.URL + "/runs/a/"}); got != "stored log\n" {
			t.Errorf("got %q", got)
		}
	}
}

func TestLogOverMaxLogIsErrTooLarge(t *testing.T) {
	for _, tc := range []struct {
		limit int64
		want  string
		err   error
	}{
		{10, "0123456789", nil},
		{9, "012345678", jobserv.ErrTooLarge},
		{1, "0", jobserv.ErrTooLarge},
	} {
		c := client(answering(http.StatusOK, "0123456789"))
		c.MaxLog = tc.limit
		log, err := c.Log(t.Context(), runWith(""))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(log)
		if string(text) != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("limit %d: got %q, %v, want %q, %v", tc.limit, text, err, tc.want, tc.err)
		}
		if tc.err != nil {
			if n, err := log.Read(make([]byte, 1)); n != 0 || !errors.Is(err, tc.err) {
				t.Errorf("limit %d: the next Read returned %d, %v", tc.limit, n, err)
			}
		}
		_ = log.Close()
	}
}

func TestLogNotFound(t *testing.T) {
	c := client(answering(http.StatusNotFound, `{"status":"error","message":"Run does not exist"}`))
	_, err := c.Log(t.Context(), runWith(""))
	if !errors.Is(err, jobserv.ErrNotFound) || !strings.Contains(err.Error(), "Run does not exist") {
		t.Errorf("got %v, want ErrNotFound with the message", err)
	}
	c = client(answering(http.StatusNoContent, ""))
	var status *jobserv.StatusError
	if _, err := c.Log(t.Context(), runWith("")); !errors.As(err, &status) || status.Code != http.StatusNoContent {
		t.Errorf("got %v, want a StatusError of 204", err)
	}
	if _, err := c.Log(t.Context(), jobserv.Run{}); !errors.Is(err, jobserv.ErrHost) {
		t.Errorf("no URL: got %v, want ErrHost", err)
	}
}

// A slowTransport answers with a body of one letter after each pause.
type slowTransport struct{ pauses []time.Duration }

func (s *slowTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: &slowBody{r.Context(), s.pauses}}, nil
}

type slowBody struct {
	ctx    context.Context
	pauses []time.Duration
}

func (b *slowBody) Close() error { return nil }

func (b *slowBody) Read(p []byte) (int, error) {
	if len(b.pauses) == 0 {
		return 0, io.EOF
	}
	select {
	case <-time.After(b.pauses[0]):
		b.pauses = b.pauses[1:]
		p[0] = 'x'
		return 1, nil
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	}
}

func TestLogTimeoutAppliesToEachWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(token, api)
		c.Timeout = 10 * time.Second
		c.Transport = &slowTransport{pauses: []time.Duration{9 * time.Second, 9 * time.Second, 11 * time.Second}}
		log, err := c.Log(t.Context(), runWith(""))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = log.Close() }()
		one := make([]byte, 1)
		for range 2 {
			if n, err := log.Read(one); n != 1 || err != nil {
				t.Fatalf("got %d, %v", n, err)
			}
			<-time.After(time.Minute) // the time between reads does not count
		}
		if _, err := log.Read(one); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want DeadlineExceeded", err)
		}
	})
}

func TestLogTail(t *testing.T) {
	const text = "first line\nsecond line\nthird line\n"
	ranged := func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "console.log", time.Time{}, strings.NewReader(text))
	}
	empty := func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "console.log", time.Time{}, strings.NewReader(""))
	}
	unsatisfiable := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
	}
	for _, tc := range []struct {
		name   string
		server http.HandlerFunc
		n      int
		want   string
	}{
		{"all of it", ranged, len(text), text},
		{"more than the log has", ranged, 1000, text},
		{"a cut inside a line", ranged, 20, "third line\n"},
		{"a cut at the beginning of a line", ranged, 23, "second line\nthird line\n"},
		{"a cut before a line's end", ranged, 12, "third line\n"},
		{"a last line that is too long", ranged, 5, "line\n"},
		{"one byte", ranged, 1, "\n"},
		{"no bytes", ranged, 0, ""},
		{"a server that sends all", answering(http.StatusOK, text), 20, "third line\n"},
		{"an empty log", empty, 20, ""},
		{"an empty log and status 416", unsatisfiable, 20, ""},
		{"a log much longer than the tail", answering(http.StatusOK, strings.Repeat("0123456789\n", 100_000)+"end\n"), 15, "0123456789\nend\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := client(tc.server).LogTail(t.Context(), runWith(""), tc.n)
			if err != nil || string(got) != tc.want {
				t.Errorf("got %q, %v, want %q", got, err, tc.want)
			}
		})
	}
}

func TestLogTailErrors(t *testing.T) {
	c := client(answering(http.StatusOK, strings.Repeat("x", 100)))
	c.MaxLog = 50
	if _, err := c.LogTail(t.Context(), runWith(""), 10); !errors.Is(err, jobserv.ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
	r := jobserv.Run{LogURL: wire.Some("https://elsewhere.example.net/log")}
	if _, err := c.LogTail(t.Context(), r, 10); !errors.Is(err, jobserv.ErrHost) {
		t.Errorf("got %v, want ErrHost", err)
	}
}
