package otel_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"

	"github.com/hookhouse/hookhouse/webhook"
	hookotel "github.com/hookhouse/hookhouse/webhook/otel"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// The test binary is also the service. These name its part and its database.
const (
	partVariable = "HOOKHOUSE_TEST_PART"
	fileVariable = "HOOKHOUSE_TEST_FILE"
)

func TestMain(m *testing.M) {
	part, ok := parts[os.Getenv(partVariable)]
	if !ok {
		os.Exit(m.Run())
	}
	if err := part(context.Background(), os.Getenv(fileVariable)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// parts are what a process of the service does.
var parts = map[string]func(ctx context.Context, file string) error{
	"receive and fail twice":      receiveAndFailTwice,
	"fail once more, then replay": failOnceMoreThenReplay,
}

// A service is a process with the SQLite file, and the spans that it has ended.
type service struct {
	tracer  *hookotel.Tracer
	inbox   *sqlinbox.Inbox
	worker  *webhook.Worker
	settled chan webhook.Outcome
	print   func() error
}

func newService(ctx context.Context, file string, handler webhook.Handler) (*service, error) {
	db, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		return nil, err
	}
	s := &service{inbox: sqlinbox.New(db, sqlinbox.SQLite), settled: make(chan webhook.Outcome, 10)}
	if err := s.inbox.Migrate(ctx); err != nil {
		return nil, err
	}
	tracer, spans := newTracer()
	s.tracer = tracer
	s.print = func() error {
		for _, span := range spans.GetSpans() {
			got := attributes(span)
			err := json.NewEncoder(os.Stdout).Encode(printed{
				Trace: span.SpanContext.TraceID().String(), Span: span.SpanContext.SpanID().String(), Parent: span.Parent.SpanID().String(),
				Name: span.Name, Attempt: got["hookhouse.attempt"], Outcome: got["hookhouse.outcome"] + got["hookhouse.state"],
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	s.worker = webhook.NewWorker(s.inbox, tracer.Handler(handler))
	s.worker.MaxAttempts, s.worker.Logger = 3, quiet()
	s.worker.Observer = webhook.MultiObserver(tracer.Observer(), &webhook.Observer{
		Settled: func(_ context.Context, _ webhook.Claim, o webhook.Outcome, _ time.Duration) { s.settled <- o },
	})
	return s, nil
}

// A printed is a span as a process prints it.
type printed struct{ Trace, Span, Parent, Name, Attempt, Outcome string }

// receiveAndFailTwice receives one call. After two failures the process is killed.
func receiveAndFailTwice(ctx context.Context, file string) error {
	s, err := newService(ctx, file, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
		if c, _ := webhook.ClaimFromContext(ctx); c.Attempt == 1 {
			return webhook.RetryAfter(time.Millisecond, errors.New("no network"))
		}
		return webhook.RetryAfter(time.Hour, errors.New("still no network"))
	}))
	if err != nil {
		return err
	}
	call, err := signedCall("id")
	if err != nil {
		return err
	}
	if code := serve(s.tracer.Receive(receiver(s.tracer, webhook.Store(s.inbox))), call); code != http.StatusAccepted {
		return fmt.Errorf("answer %d", code)
	}
	go func() { _ = s.worker.Run(ctx) }()
	<-s.settled
	<-s.settled
	if err := s.print(); err != nil {
		return err
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	if err := self.Kill(); err != nil {
		return err
	}
	select {} // until the signal arrives
}

// failOnceMoreThenReplay fails for the third time, which is the last, and succeeds after a
// replay.
func failOnceMoreThenReplay(ctx context.Context, file string) error {
	var replayed atomic.Bool
	s, err := newService(ctx, file, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
		if !replayed.Load() {
			return errors.New("no network any more")
		}
		return nil
	}))
	if err != nil {
		return err
	}
	var uid string
	for r, err := range s.inbox.All(ctx, webhook.Filter{Source: "acme"}) {
		if err != nil {
			return err
		}
		uid = r.Delivery.UID
	}
	if err := s.inbox.Release(ctx, uid); err != nil { // and not in an hour
		return err
	}
	go func() { _ = s.worker.Run(ctx) }()
	if o := <-s.settled; o.State != webhook.Dead {
		return fmt.Errorf("the third failure ended %s", o.State)
	}
	replayed.Store(true)
	if _, err := s.inbox.Replay(ctx, webhook.Filter{UID: uid}, webhook.Note{By: "test"}); err != nil {
		return err
	}
	if o := <-s.settled; o.State != webhook.Done {
		return fmt.Errorf("the replay ended %s", o.State)
	}
	return s.print()
}

// run runs a part of the service as a process and returns the spans that it printed. It
// reports whether the process ended by itself.
func run(t *testing.T, part, file string) (spans []printed, ended bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), partVariable+"="+part, fileVariable+"="+file)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	lines := bufio.NewScanner(strings.NewReader(string(out)))
	for lines.Scan() {
		var s printed
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatalf("%s printed %q: %v", part, lines.Text(), err)
		}
		spans = append(spans, s)
	}
	return spans, err == nil
}

func TestOneTraceFromReceiveThroughFailuresARestartAndAReplay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "inbox.db")
	first, ended := run(t, "receive and fail twice", file)
	if ended {
		t.Error("the first process was not killed")
	}
	second, ended := run(t, "fail once more, then replay", file)
	if !ended {
		t.Fatal("the second process failed")
	}
	all := append(first, second...)
	if len(all) == 0 {
		t.Fatal("no spans")
	}
	received := all[0]
	var got []string
	for _, s := range all {
		if s.Trace != callersTrace {
			t.Errorf("%s belongs to trace %s, not to that of the caller", s.Name, s.Trace)
		}
		if parent := received.Span; s != received && s.Parent != parent {
			t.Errorf("the parent of %s is %s, want the receive span %s", s.Name, s.Parent, parent)
		}
		got = append(got, strings.Join(strings.Fields(s.Name+" "+s.Attempt+" "+s.Outcome), " "))
	}
	want := []string{
		"receive accepted",
		"process acme 1 retry", "settle acme 1 waiting",
		"process acme 2 retry", "settle acme 2 waiting",
		// the first process is killed, and the second one started
		"process acme 3 retry", "settle acme 3 dead",
		// replay
		"process acme 1 ok", "settle acme 1 done",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
	if received.Parent != callersSpan {
		t.Errorf("the parent of the receive span is %s, want the caller's %s", received.Parent, callersSpan)
	}
}
