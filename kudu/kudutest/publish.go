package kudutest

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/dotnet"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A Delivery is a call of a hook and its result.
type Delivery struct {
	Hook   Hook   // after the call
	Body   []byte // as sent
	Result webhooktest.Result
}

// Deliveries returns all calls of hooks so far, in the order of their events.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Delivery(nil), s.deliveries...)
}

// Deploy records d, as [Server.Record] does, calls the hooks for PostDeployment
// with it, and returns when all of them have answered or failed. The names in
// the body are in camelCase, unless d was decoded from others. Deploy returns an
// error if it cannot encode d or acquire the lock; d is recorded then too.
func (s *Server) Deploy(ctx context.Context, d kudu.Deployment) ([]Delivery, error) {
	s.Record(d)
	return s.Publish(ctx, kudu.EventPostDeployment, d)
}

// FinishJob records run, as [Server.RecordRun] does, and calls the hooks for
// TriggeredJobFinished with it. It is otherwise like [Server.Deploy].
func (s *Server) FinishJob(ctx context.Context, run kudu.TriggeredJobRun) ([]Delivery, error) {
	s.RecordRun(run)
	return s.Publish(ctx, kudu.EventTriggeredJobFinished, run)
}

// Publish calls the hooks for an event with content, encoded as JSON. It is
// otherwise like [Server.Deploy].
func (s *Server) Publish(ctx context.Context, event string, content any) ([]Delivery, error) {
	text, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	return s.publish(ctx, event, text)
}

// publish calls the hooks for an event while it holds the lock. At the end it
// stores the list of hooks that it read at the beginning, so that a hook which
// answered 410 is not removed.
func (s *Server) publish(ctx context.Context, event string, content []byte) ([]Delivery, error) {
	body, err := indented(content)
	if err != nil {
		return nil, err
	}
	if !s.lock.acquire(ctx) {
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
		d := &deliveries[len(deliveries)-1] // the capacity suffices, so d stays valid
		calls.Go(func() {
			hooks[i].LastDatetime = dotnet.Time(time.Now())
			hooks[i].LastContext = new(string(body))
			d.Result = s.post(ctx, hooks[i], body)
			if d.Result.Gone {
				s.remove(hooks[i].ID)
			}
			hooks[i].LastStatus, hooks[i].LastReason = lastStatus(d.Result)
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

// publishBody is the route that publishes the body of the request. Its answer
// does not depend on the answers of the hooks.
func (s *Server) publishBody(r *http.Request, event string, body []byte) reply {
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("null")
	}
	if !json.Valid(body) {
		return reply{status: http.StatusBadRequest}
	}
	// The hooks are called even if the client disconnects.
	if _, err := s.publish(context.WithoutCancel(r.Context()), event, body); err != nil {
		return reply{status: http.StatusInternalServerError}
	}
	return reply{status: http.StatusOK}
}

// post calls a hook.
func (s *Server) post(ctx context.Context, h Hook, body []byte) webhooktest.Result {
	sender := webhooktest.Kudu{Transport: s.Transport}
	if s.Transport == nil {
		transport := &http.Transport{DisableCompression: true}
		defer transport.CloseIdleConnections()
		if h.InsecureSSL {
			transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // as insecure_ssl requests
		}
		sender.Transport = transport
	}
	return sender.Deliver(ctx, h.URL, body)
}

// indented formats JSON as Newtonsoft.Json does on Windows, with two spaces and
// with CRLF at the ends of lines.
func indented(content []byte) ([]byte, error) {
	var out bytes.Buffer
	if err := json.Indent(&out, content, "", "  "); err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(out.Bytes(), []byte("\n"), []byte("\r\n")), nil
}

var errLocked = errors.New("kudutest: cannot acquire the lock on the hooks")

// lastStatus returns LastStatus and LastReason of a hook after a call: .NET's
// name of the status and the reason phrase, or "Failure" and the reason.
func lastStatus(r webhooktest.Result) (status, reason *string) {
	err := r.Err
	if len(r.Attempts) > 0 {
		if last := r.Attempts[len(r.Attempts)-1]; last.Err == nil {
			return new(dotnet.StatusName(last.Status)), new(http.StatusText(last.Status))
		} else {
			err = last.Err
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return new("Failure"), new("A task was canceled.")
	default:
		return new("Failure"), new("An error occurred while sending the request.")
	}
}
