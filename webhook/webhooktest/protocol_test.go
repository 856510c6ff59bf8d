package webhooktest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// The body of an answer 101 is the connection: a target that keeps it open must not hold
// the sender.
func TestATargetThatChangesTheProtocolEndsTheCall(t *testing.T) {
	gone := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer close(gone)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"))
		_, _ = conn.Read(make([]byte, 1)) // until the client has closed it
	}))
	defer server.Close()
	sender := webhooktest.GitHub{Secret: webhook.NewSecret("it's a secret to everybody")}
	got := sender.Deliver(t.Context(), server.URL, "push", []byte("{}"))
	if len(got.Attempts) != 1 || got.Attempts[0].Status != http.StatusSwitchingProtocols {
		t.Errorf("%+v", got)
	}
	<-gone
}
