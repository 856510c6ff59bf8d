package forward

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestWhoIsDown: nobody listens. A target that takes the connection is not down, whatever it
// does then: it has a few tries, so that what follows has its turn.
func TestWhoIsDown(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer silent.Close()
	hangsUp := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer hangsUp.Close()
	for _, tt := range []struct {
		name, url string
		down      bool
	}{
		{"nobody listens", "http://" + closed.Addr().String(), true},
		{"a name that does not exist", "http://none.invalid", true},
		{"silent", silent.URL, false},
		{"hangs up", hangsUp.URL, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &Forwarder{Timeout: 50 * time.Millisecond, client: newClient(false)}
			if tt.down {
				f.Timeout = time.Minute
			}
			_, err := f.post(t.Context(), call{url: tt.url + "/token-of-x"})
			if err == nil || isDown(err) != tt.down || strings.Contains(err.Error(), "token-of-x") {
				t.Errorf("%v: down is %v", err, isDown(err))
			}
		})
	}
}
