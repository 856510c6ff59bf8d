package webhook_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

var errBoom = errors.New("boom")

// synctestRun runs a subtest in fake time. Goroutines that a Worker leaves behind
// fail it.
func synctestRun(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// advance moves fake time by d and waits until everything due has happened.
func advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// work blocks a callback for d.
func work(d time.Duration) { <-time.After(d) }

// A flakyInbox fails or blocks as the test sets it.
type flakyInbox struct {
	*webhook.MemInbox
	onClaim, onBegin, onExtend, onSettle func(ctx context.Context) error // nil or nil error: go on
	afterSettle                          func(c webhook.Claim) error     // the settlement counts, its answer is this error
}

func failWith(ctx context.Context, f func(ctx context.Context) error) error {
	if f == nil {
		return nil
	}
	return f(ctx)
}

func (in *flakyInbox) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	if err := failWith(ctx, in.onClaim); err != nil {
		return nil, err
	}
	return in.MemInbox.Claim(ctx, o)
}

func (in *flakyInbox) Extend(ctx context.Context, c webhook.Claim, lease time.Duration) error {
	if err := failWith(ctx, in.onExtend); err != nil {
		return err
	}
	return in.MemInbox.Extend(ctx, c, lease)
}

func (in *flakyInbox) Begin(ctx context.Context, c webhook.Claim) (webhook.Claim, error) {
	if err := failWith(ctx, in.onBegin); err != nil {
		return webhook.Claim{}, err
	}
	return in.MemInbox.Begin(ctx, c)
}

func (in *flakyInbox) Settle(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
	if err := failWith(ctx, in.onSettle); err != nil {
		return "", err
	}
	came, err := in.MemInbox.Settle(ctx, c, o)
	if err == nil && in.afterSettle != nil {
		err = in.afterSettle(c)
	}
	return came, err
}

// A plainInbox has none of the optional interfaces.
type plainInbox struct{ webhook.Inbox }

// A recorder records the events of a Worker's Observer.
type recorder struct {
	mu      sync.Mutex
	claimed []webhook.Claim
	settled []webhook.Outcome
	fences  []int64 // of the claims settled
	took    []time.Duration
	lost    []webhook.Claim
	overdue []time.Duration
}

func (j *recorder) observer() *webhook.Observer {
	return &webhook.Observer{
		Claimed: func(_ context.Context, c webhook.Claim) {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.claimed = append(j.claimed, c)
		},
		Settled: func(_ context.Context, c webhook.Claim, o webhook.Outcome, took time.Duration) {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.settled = append(j.settled, o)
			j.fences = append(j.fences, c.Fence)
			j.took = append(j.took, took)
		},
		Lost: func(_ context.Context, c webhook.Claim) {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.lost = append(j.lost, c)
		},
		Overdue: func(_ context.Context, _ webhook.Claim, took time.Duration) {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.overdue = append(j.overdue, took)
		},
	}
}

func (j *recorder) states() (states []webhook.State) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, o := range j.settled {
		states = append(states, o.State)
	}
	return states
}

// late returns the durations of the overdue callbacks reported.
func (j *recorder) late() []time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.overdue)
}

func (j *recorder) last() webhook.Outcome {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.settled) == 0 {
		return webhook.Outcome{}
	}
	return j.settled[len(j.settled)-1]
}

// quiet logs nothing.
var quiet = slog.New(slog.DiscardHandler)

// settle settles a claim, which must succeed.
func settle(t *testing.T, in webhook.Inbox, c webhook.Claim, o webhook.Outcome) webhook.State {
	t.Helper()
	came, err := in.Settle(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	return came
}

// newTestWorker returns a Worker that logs nothing, and the recorder of its events.
func newTestWorker(in webhook.Inbox, h webhook.Handler) (*webhook.Worker, *recorder) {
	j := &recorder{}
	w := webhook.NewWorker(in, h)
	w.Logger = quiet
	w.Observer = j.observer()
	return w, j
}

// start runs w until stop, which requires that Run returns nil.
func start(t *testing.T, w *webhook.Worker) (stop func()) {
	t.Helper()
	return startFor(t, w, nil)
}

// startFor runs w until stop, which requires that Run returns the given error.
func startFor(t *testing.T, w *webhook.Worker, want error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; !errors.Is(err, want) {
			t.Errorf("Run returned %v, want %v", err, want)
		}
	}
}

// putDelivery puts a delivery; change may be nil.
func putDelivery(t *testing.T, in webhook.Inbox, uid string, change func(d *webhook.Delivery)) *webhook.Delivery {
	t.Helper()
	d := &webhook.Delivery{UID: uid, Source: "alpha", Type: "alpha.event", Body: []byte(`{}`)}
	if change != nil {
		change(d)
	}
	if err := in.Put(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	return d
}

func keyed(key string) func(d *webhook.Delivery) {
	return func(d *webhook.Delivery) { d.OrderingKey = key }
}

func typed(typ string) func(d *webhook.Delivery) {
	return func(d *webhook.Delivery) { d.Source, d.Type = strings.Split(typ, ".")[0], typ }
}

// stateOf returns the stored state of d.
func stateOf(t *testing.T, in webhook.Inbox, d *webhook.Delivery) webhook.State {
	t.Helper()
	known, ok := errors.AsType[*webhook.DuplicateError](in.Put(t.Context(), d))
	if !ok {
		t.Fatalf("%s is not known", d.UID)
	}
	return known.State
}

// recorded returns a Handler that calls f, and the UIDs of its deliveries, in order.
func recorded(f func(ctx context.Context, d *webhook.Delivery) error) (h webhook.Handler, ran func() []string) {
	var (
		mu   sync.Mutex
		uids []string
	)
	h = webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		mu.Lock()
		uids = append(uids, d.UID)
		mu.Unlock()
		return f(ctx, d)
	})
	return h, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(uids)
	}
}

func succeed(context.Context, *webhook.Delivery) error { return nil }

// blockUntilDone blocks until ctx ends.
func blockUntilDone(ctx context.Context, _ *webhook.Delivery) error {
	<-ctx.Done()
	return ctx.Err()
}
