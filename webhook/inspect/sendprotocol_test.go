package inspect_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// A target that changes the protocol keeps the connection, which no deadline of a request ends.
func TestATargetThatChangesTheProtocol(t *testing.T) {
	r := newSendRig(t)
	r.Send.Timeout = time.Minute
	to := newTarget(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { _ = conn.Close() })
		_, _ = conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"))
	}))
	got := decode[answer](t, r.send(sendBody{"key": "github", "url": to.URL, "body": "{}"}))
	if got.Status != 101 || got.Body != "" || got.Note != "The target asks for another protocol, which was not begun." {
		t.Errorf("%+v", got)
	}
}

// What an act keeps is bounded, whatever a person asks for.
func TestALongURLIsNotKept(t *testing.T) {
	r := newSendRig(t)
	r.Send.Hosts = []string{"*"}
	long := "http://" + strings.Repeat("x", 1<<20) + ".example/"
	requireError(t, r.send(sendBody{"key": "github", "url": long, "body": "{}"}), 400, "url has")
	if acts := r.acted(); len(acts) != 0 || r.log.Len() > 4096 {
		t.Errorf("%d acts, and a log of %d bytes", len(acts), r.log.Len())
	}
}

// A proof with spaces is hidden in the log as a whole, and not only the part that looks like one.
func TestALogOfABrokenAnswerHasNoSecret(t *testing.T) {
	r := newSendRig(t)
	to := newTarget(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\ntoken=" + testSecret + "\r\n\r\n"))
		_ = conn.Close()
	}))
	requireError(t, r.send(sendBody{"key": "kudu", "url": to.URL, "body": "{}"}), 502, "the log says why")
	if log := r.log.String(); !strings.Contains(log, "malformed") || strings.Contains(log, "of the tests") {
		t.Errorf("the log: %s", log)
	}
}
