package publish

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestASinkCountsWhatIsSigned(t *testing.T) {
	h, count, err := newSinkHandler()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	p, err := newPoster()
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{url: server.URL}
	if status, _, err := p.post(t.Context(), s.good(1), "msg_1", body); err != nil || status != http.StatusOK {
		t.Errorf("a signed call: %d, %v", status, err)
	}
	resp, err := http.Post(s.good(1), "application/json", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body.Close(); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("an unsigned call: %s", resp.Status)
	}
	for range 2 { // it hangs, is let go, and hangs again
		answered := make(chan int)
		go func() {
			status, _, _ := p.post(t.Context(), s.hang(), "msg_2", body)
			answered <- status
		}()
		for before := count().Hung; count().Hung == before; {
			select {
			case status := <-answered:
				t.Fatalf("it was answered with %d", status)
			case <-time.After(time.Millisecond):
			}
		}
		if err := s.letGo(); err != nil {
			t.Fatal(err)
		}
		if status := <-answered; status != http.StatusServiceUnavailable {
			t.Errorf("let go with %d", status)
		}
		if err := s.hangAgain(); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(calls{Good: 1, Hung: 2, Others: 1}, count()); diff != "" {
		t.Error(diff)
	}
}

func TestLostAndRepeatedCallsAreErrors(t *testing.T) {
	for _, tt := range []struct {
		got     calls
		hanging bool
		fails   bool
	}{
		{calls{Good: 5}, false, false},
		{calls{Good: 5, Hung: 1}, true, false},
		{calls{Good: 5}, true, true},
		{calls{Good: 4}, false, true},
		{calls{Good: 6}, false, true},
		{calls{Good: 5, Others: 1}, false, true},
	} {
		if err := tt.got.accounted(5, tt.hanging); (err != nil) != tt.fails {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}
