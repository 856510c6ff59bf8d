package kudutest

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A Delivery is one call of a hook and what came of it.
type Delivery struct {
	Hook   Hook   // as it was after the call
	Body   []byte // what was sent
	Result webhooktest.Result
}

// Deliveries returns the calls of hooks so far, in order of their events.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Delivery(nil), s.deliveries...)
}

// Deploy tells the hooks for PostDeployment of a deployment, and returns when all
// of them have answered or failed to. Names are in camelCase unless d was decoded
// from others. An error is that of encoding d, or of a lock that was not to be
// had.
func (s *Server) Deploy(ctx context.Context, d kudu.Deployment) ([]Delivery, error) {
	return s.Publish(ctx, kudu.EventPostDeployment, d)
}

// FinishJob tells the hooks for TriggeredJobFinished of a run, as
// [Server.Deploy] does of a deployment.
func (s *Server) FinishJob(ctx context.Context, run kudu.TriggeredJobRun) ([]Delivery, error) {
	return s.Publish(ctx, kudu.EventTriggeredJobFinished, run)
}

// Publish posts content, encoded as JSON, to the hooks for an event.
func (s *Server) Publish(ctx context.Context, event string, content any) ([]Delivery, error) {
	text, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	return s.publish(ctx, event, text)
}

// publish holds the lock all the time. Whatever becomes of the list meanwhile,
// at the end that of the beginning is kept: so a hook that is gone is not.
func (s *Server) publish(ctx context.Context, event string, content []byte) ([]Delivery, error) {
	body, err := indented(content)
	if err != nil {
		return nil, err
	}
	if !s.lock.take(ctx) {
		return nil, errLocked
	}
	defer s.lock.release()
	hooks := s.Hooks()
	deliveries := make([]Delivery, 0, len(hooks))
	var calls sync.WaitGroup
	for i := range hooks {
		if !strings.EqualFold(text(hooks[i].Event), event) {
			continue
		}
		deliveries = append(deliveries, Delivery{Body: body})
		d := &deliveries[len(deliveries)-1] // has room for all: stays where it is
		calls.Go(func() {
			hooks[i].LastDatetime = time.Now().UTC().Format("2006-01-02T15:04:05.9999999Z")
			hooks[i].LastContext = new(string(body))
			d.Result = s.post(ctx, hooks[i], body)
			if d.Result.Gone {
				s.remove(hooks[i].ID)
			}
			hooks[i].LastStatus, hooks[i].LastReason = told(d.Result)
			d.Hook = hooks[i]
		})
	}
	calls.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = hooks
	s.deliveries = append(s.deliveries, deliveries...)
	return deliveries, nil
}

// publishBody is the route that publishes what it is sent. The answer does not
// tell what the hooks answered.
func (s *Server) publishBody(r *http.Request, event string, body []byte) reply {
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("null")
	}
	if !json.Valid(body) {
		return reply{status: http.StatusBadRequest}
	}
	// A caller that hangs up does not end what was begun.
	if _, err := s.publish(context.WithoutCancel(r.Context()), event, body); err != nil {
		return reply{status: http.StatusInternalServerError}
	}
	return reply{status: http.StatusOK}
}

// post calls one hook.
func (s *Server) post(ctx context.Context, h Hook, body []byte) webhooktest.Result {
	sender := webhooktest.Kudu{Transport: s.Transport}
	if s.Transport == nil {
		transport := &http.Transport{DisableCompression: true}
		defer transport.CloseIdleConnections()
		if h.InsecureSSL {
			transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // what the hook asks for
		}
		sender.Transport = transport
	}
	return sender.Deliver(ctx, h.URL, body)
}

// indented writes JSON as Newtonsoft.Json does on Windows: two spaces, and CRLF
// at the ends of lines.
func indented(content []byte) ([]byte, error) {
	var out bytes.Buffer
	if err := json.Indent(&out, content, "", "  "); err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(out.Bytes(), []byte("\n"), []byte("\r\n")), nil
}
