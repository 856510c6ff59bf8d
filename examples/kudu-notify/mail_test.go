package main

import (
	"context"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

const deadMail = `hookhouse_attempts_total{state="dead",type="notify.mail"} 1`

// oneMail fails the test unless exactly one mail was accepted and the log says why it
// is not sent again.
func oneMail(t *testing.T, r *rig, p *process) {
	t.Helper()
	p.waitForMetric(t, deadMail)
	next(t, r.mail.accepted)
	if n := len(r.mail.accepted); n > 0 {
		t.Errorf("%d mails too many", n)
	}
	p.stop(t)
	if !strings.Contains(p.log.String(), "perhaps delivered, and not sent again") {
		t.Errorf("the log does not contain the reason:\n%s", p.log)
	}
}

func TestMailWithoutAnswerIsNotSentAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.mail.noAnswer.Store(true)
	p := r.start(t)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	oneMail(t, r, p)

	// A person can replay it.
	r.mail.noAnswer.Store(false)
	s, err := openStore(t.Context(), r.args[3])
	if err != nil {
		t.Fatal(err)
	}
	n, err := s.Replay(t.Context(), webhook.Filter{Type: "notify.mail"}, webhook.Note{By: "ops"})
	if s.close(); err != nil || n != 1 {
		t.Fatalf("replayed %d, %v", n, err)
	}
	p = r.start(t)
	next(t, r.mail.accepted)
	p.waitForMetric(t, `hookhouse_attempts_total{state="done",type="notify.mail"} 1`)
	p.stop(t)
}

func TestMailIsNotSentAgainAfterTheProgramEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*testing.T, *process){
		"killed":  func(t *testing.T, p *process) { p.kill(t) },
		"SIGTERM": func(t *testing.T, p *process) { p.stop(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			waiting := &gate{make(chan struct{}, 10), make(chan struct{})}
			t.Cleanup(func() { close(waiting.open) })
			r.mail.gate.Store(waiting)
			p := r.start(t)
			r.deploy(t, deployment(1, kudu.StatusFailed))
			next(t, waiting.arrived)
			end(t, p)
			r.mail.gate.Store(nil)
			oneMail(t, r, r.start(t))
		})
	}
}

func TestRefusedWholeMailIsSentAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.mail.busyAtEnd.Store(true)
	p := r.start(t)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	for range 3 {
		next(t, r.mail.attempts)
	}
	r.mail.busyAtEnd.Store(false)
	next(t, r.mail.accepted)
	p.waitForMetric(t, `hookhouse_attempts_total{state="done",type="notify.mail"} 1`)
	p.stop(t)
}

// A pipeListener accepts one connection in memory.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l pipeListener) Close() error   { close(l.done); return nil }
func (l pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func TestServerHasTenMinutesToAnswer(t *testing.T) {
	worker := webhook.NewWorker(new(webhook.MemInbox), webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil }))
	for _, tt := range []struct {
		name      string
		answers   time.Duration // after the whole mail
		delivered bool
	}{
		{name: "after 40 s", answers: 40 * time.Second, delivered: true},
		{name: "after 9 min 59 s", answers: 9*time.Minute + 59*time.Second, delivered: true},
		{name: "after an hour", answers: time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake := &fakeMailServer{attempts: make(chan struct{}, 10), accepted: make(chan receivedMail, 10)}
				held := &gate{make(chan struct{}, 1), make(chan struct{})}
				fake.gate.Store(held)
				listener := pipeListener{make(chan net.Conn, 1), make(chan struct{})}
				server := fake.server()
				go func() { _ = server.Serve(listener) }()
				go func() {
					<-held.arrived
					<-time.After(tt.answers)
					close(held.open)
				}()
				m := mailbox{host: "127.0.0.1", port: 587, user: "mailer", password: webhook.NewSecret(smtpPassword),
					from: "kudu@example.com", to: netmail.Address{Address: "ops@example.com"},
					connect: func(context.Context, string, string) (net.Conn, error) {
						near, far := net.Pipe()
						listener.conns <- far
						return near, nil
					}}
				start := time.Now()
				err := m.send(t.Context(), "id", notice{What: failure, Subject: "x"}, nil)
				took := time.Since(start)
				switch {
				case tt.delivered && (err != nil || took < tt.answers):
					t.Errorf("after %s: %v", took, err)
				case !tt.delivered && (err == nil || !strings.Contains(err.Error(), "perhaps delivered") || took < answerTimeout || took > answerTimeout+10*time.Second): // with the end of TLS
					t.Errorf("after %s: %v", took, err)
				}
				if o := worker.Decide(t.Context(), webhook.Claim{Delivery: &webhook.Delivery{}, Attempt: 1}, err); (o.State == webhook.Done) != tt.delivered || o.State == webhook.Waiting {
					t.Errorf("the outcome is %s", o.State)
				}
				if len(fake.accepted) != 1 {
					t.Errorf("%d mails", len(fake.accepted))
				}
				<-held.open
				_ = server.Close()
			})
		})
	}
}
