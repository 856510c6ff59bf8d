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
	// pingInterval and unhandledInterval are how long an answer is used again.
	pingInterval      = time.Second
	unhandledInterval = 10 * time.Second
)

// HealthHandler returns an http.Handler that reports whether a service can do its
// work: it answers 200 if it can, otherwise 503. The body is a small JSON object that
// says why and contains no secrets. The arguments are the inbox of the Receivers, and
// the Workers of this process, if any.
//
// The answer is 503 in these cases:
//
//   - The inbox's Ping fails or takes longer than 2 s.
//   - A Worker does not run. Leave out a Worker that only [Worker.Drain] uses.
//   - A Worker has tried to claim for one Lease without success.
//   - All slots of a Worker are held by overdue callbacks, or by work that the inbox
//     does not settle.
//
// An answer with status 200 also reports the last claim, the slots in use, those of
// types with a Concurrency of their own, overdue callbacks, suspects that wait to run
// alone, and types that have waiting deliveries and that no Worker claims.
//
// The handler calls two methods of the inbox, if it has them: Ping(context.Context)
// error, and Unhandled(context.Context) ([]string, error), which returns the types of
// deliveries that have been due for a minute and that no Claim of this Inbox asked
// for. [MemInbox] and the Inbox of package sqlinbox have both. Frequent probes cost
// little: concurrent requests share one call, and the handler calls Ping at most once
// a second and Unhandled once in ten seconds. It logs each change between 200 and 503
// with slog.Default.
//
// HealthHandler panics on a nil Inbox and on a nil Worker.
func HealthHandler(in Inbox, workers ...*Worker) http.Handler {
	if in == nil {
		panic("webhook: HealthHandler needs an inbox")
	}
	for _, w := range workers {
		if w == nil {
			panic("webhook: HealthHandler was given a nil Worker")
		}
	}
	g := guardedQueue{in}
	return &healthHandler{
		workers: workers,
		ping: sharedCall[struct{}]{interval: pingInterval, call: func(ctx context.Context) (struct{}, error) {
			return struct{}{}, g.ping(ctx)
		}},
		unhandled: sharedCall[[]string]{interval: unhandledInterval, call: g.unhandled},
	}
}

type healthHandler struct {
	workers   []*Worker
	ping      sharedCall[struct{}]
	unhandled sharedCall[[]string]

	mu        sync.Mutex
	unhealthy bool // as logged last
}

// A healthReport is the body of an answer.
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

	Types map[string]typeReport `json:"types,omitempty"`
}

type typeReport struct {
	Slots   int `json:"slots"`
	InUse   int `json:"in_use"`
	Overdue int `json:"overdue"`
}

func (h *healthHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	report, reasons := h.report(r.Context())
	h.logChange(r.Context(), report.Problems, reasons)
	status := http.StatusOK
	if !report.OK {
		status = http.StatusServiceUnavailable
	}
	report.write(w, status)
}

func (r healthReport) write(w http.ResponseWriter, status int) {
	text, _ := json.Marshal(r) // strings, numbers and times: cannot fail
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}

// report asks the inbox and the Workers. The reasons are for the log only, since a
// database driver's error may contain confidential text.
func (h *healthHandler) report(ctx context.Context) (report healthReport, reasons []string) {
	h.unhandled.begin()
	if _, err := h.ping.result(ctx); err != nil {
		report.Problems = append(report.Problems, "inbox does not answer, or cannot store deliveries")
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
		wr := workerReport{Running: v.Running, Slots: v.Slots, InUse: v.InUse, Overdue: v.Overdue, Unsettled: v.Unsettled, Suspects: v.Suspects}
		if !v.LastClaim.IsZero() {
			wr.LastClaim = &v.LastClaim
		}
		for typ, th := range v.Types {
			if wr.Types == nil {
				wr.Types = make(map[string]typeReport, len(v.Types))
			}
			wr.Types[typ] = typeReport(th)
		}
		report.Workers = append(report.Workers, wr)
	}
	report.Unhandled, _ = h.unhandled.result(ctx) // if this fails, Ping fails too
	report.OK = len(report.Problems) == 0
	return report, reasons
}

// problem returns what prevents a Worker from working, empty if nothing does.
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

// logChange logs that the service has become unhealthy, or healthy again.
func (h *healthHandler) logChange(ctx context.Context, problems, reasons []string) {
	if ctx.Err() != nil {
		return // some answers may be missing
	}
	bad := len(problems) > 0
	h.mu.Lock()
	changed := h.unhealthy != bad
	h.unhealthy = bad
	h.mu.Unlock()
	switch {
	case changed && bad:
		slog.Warn("service is not healthy", "problems", problems, "reasons", reasons)
	case changed:
		slog.Info("service is healthy again")
	}
}
