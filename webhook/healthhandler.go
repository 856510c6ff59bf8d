package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

const (
	// healthWithin is how long an inbox may take to answer for its health.
	healthWithin = 2 * time.Second
	// pingFresh and unhandledFresh are how long its answers are used again.
	pingFresh      = time.Second
	unhandledFresh = 10 * time.Second
)

// HealthHandler answers whether a service can do its work: 200 if it can, 503 if
// not, with a small JSON object that says why and holds no secrets. Give it the
// inbox of the receivers, and the Workers that run in this process, if any.
//
// It is 503 when the inbox's Ping fails or takes longer than 2 s, when a Worker
// does not run, when one has wanted to claim for a Lease and got no answer, and
// when overdue callbacks, or work that the inbox does not settle, hold all slots of
// one. Told with a 200 are overdue
// callbacks that leave slots, suspects that wait to run alone, and types of which
// deliveries wait and that nobody claims.
//
// The handler uses two methods of the inbox, if it has them: Ping(context.Context)
// error, and Unhandled(context.Context) ([]string, error), which returns the types of
// deliveries that have been due for a minute and that no Claim of this Inbox asked
// for. [MemInbox] and the Inbox of package sqlinbox have both. Concurrent requests
// share one call, and the handler calls Ping at most once a second and Unhandled once
// in ten, so that frequent probes cost little. It logs each change of its answer with
// slog.Default.
//
// It panics on a nil Inbox and a nil Worker.
func HealthHandler(in Inbox, workers ...*Worker) http.Handler {
	if in == nil {
		panic("webhook: HealthHandler needs an inbox")
	}
	for _, w := range workers {
		if w == nil {
			panic("webhook: HealthHandler was given a nil Worker")
		}
	}
	g := guarded{in}
	return &healthHandler{
		workers: workers,
		ping: shared[struct{}]{fresh: pingFresh, ask: func(ctx context.Context) (struct{}, error) {
			return struct{}{}, g.ping(ctx)
		}},
		unhandled: shared[[]string]{fresh: unhandledFresh, ask: g.unhandled},
	}
}

type healthHandler struct {
	workers   []*Worker
	ping      shared[struct{}]
	unhandled shared[[]string]

	mu   sync.Mutex
	told bool // that it is not well
}

// A healthReport is the body of the answer.
type healthReport struct {
	OK        bool           `json:"ok"`
	Problems  []string       `json:"problems,omitempty"`
	Workers   []workerReport `json:"workers,omitempty"`
	Unhandled []string       `json:"unhandled,omitempty"`
}

type workerReport struct {
	Running   bool       `json:"running"`
	Slots     int        `json:"slots"`
	InUse     int        `json:"in_use"`
	Overdue   int        `json:"overdue"`
	Unsettled int        `json:"unsettled"`
	Suspects  int        `json:"suspects"`
	LastClaim *time.Time `json:"last_claim,omitempty"`
}

func (h *healthHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	report, reasons := h.report(r.Context())
	h.tell(r.Context(), report.Problems, reasons)
	status := http.StatusOK
	if !report.OK {
		status = http.StatusServiceUnavailable
	}
	text, _ := json.Marshal(report) // strings, numbers and times: cannot fail
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}

// report asks the inbox and the workers. The reasons are for the log only, since an
// error of a driver can contain what no caller should see.
func (h *healthHandler) report(ctx context.Context) (report healthReport, reasons []string) {
	h.unhandled.begin()
	if _, err := h.ping.answer(ctx); err != nil {
		report.Problems = append(report.Problems, "inbox does not answer, or would take no delivery")
		reasons = append(reasons, err.Error())
	}
	for i, w := range h.workers {
		v := w.Health()
		if problem := v.problem(); problem != "" {
			report.Problems = append(report.Problems, fmt.Sprintf("worker %d %s", i+1, problem))
			if v.LastError != nil {
				reasons = append(reasons, v.LastError.Error())
			}
		}
		told := workerReport{Running: v.Running, Slots: v.Slots, InUse: v.InUse, Overdue: v.Overdue, Unsettled: v.Unsettled, Suspects: v.Suspects}
		if !v.LastClaim.IsZero() {
			told.LastClaim = &v.LastClaim
		}
		report.Workers = append(report.Workers, told)
	}
	report.Unhandled, _ = h.unhandled.answer(ctx) // an inbox that fails fails Ping too
	report.OK = len(report.Problems) == 0
	return report, reasons
}

// problem is what keeps a Worker from its work, empty if nothing does.
func (v Health) problem() string {
	switch {
	case !v.Running:
		return "does not run"
	case v.Overdue == v.Slots:
		return "is stuck: overdue callbacks hold all of its slots"
	case v.Overdue+v.Unsettled >= v.Slots:
		return "is stuck: work that the inbox does not settle holds its slots"
	case v.Waiting > v.Lease:
		return "gets no answer to its claims"
	}
	return ""
}

// tell logs when the health has changed.
func (h *healthHandler) tell(ctx context.Context, problems, reasons []string) {
	if ctx.Err() != nil {
		return // the answers are not all there
	}
	bad := len(problems) > 0
	h.mu.Lock()
	changed := h.told != bad
	h.told = bad
	h.mu.Unlock()
	switch {
	case changed && bad:
		slog.Warn("service is not healthy", "problems", problems, "reasons", reasons)
	case changed:
		slog.Info("service is healthy again")
	}
}

// A shared is a question whose answer all share who ask at the same time, or a
// little later.
type shared[T any] struct {
	ask   func(ctx context.Context) (T, error)
	fresh time.Duration

	mu     sync.Mutex
	asking chan struct{} // while it is asked: closed with the answer
	begun  time.Time
	got    time.Time
	value  T
	err    error
}

// begin asks unless that is under way or the answer is fresh, and returns what is
// closed when there is one, and how long that may still take.
func (s *shared[T]) begin() (answered <-chan struct{}, within time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asking == nil {
		if !s.got.IsZero() && time.Since(s.got) < s.fresh {
			return nil, 0
		}
		s.asking, s.begun = make(chan struct{}), time.Now()
		go s.run(s.asking)
	}
	return s.asking, healthWithin - time.Since(s.begun)
}

// run asks on a context of its own: who asked first may leave first.
func (s *shared[T]) run(answered chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), healthWithin)
	defer cancel()
	value, err := *new(T), exited()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.value, s.err, s.got, s.asking = value, err, time.Now(), nil
		close(answered)
	}()
	value, err = s.ask(ctx)
}

// answer returns the answer, or an error when it does not come in time.
func (s *shared[T]) answer(ctx context.Context) (value T, err error) {
	if answered, within := s.begin(); answered != nil {
		limit := time.NewTimer(within)
		defer limit.Stop()
		select {
		case <-answered:
		case <-ctx.Done():
			return value, ctx.Err()
		case <-limit.C:
			return value, fmt.Errorf("webhook: the inbox has not answered within %v", healthWithin)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.value, s.err
}
