package crash

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/broken"
	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/process"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

const (
	// maxRun limits the time of a callback.
	maxRun = 10 * time.Millisecond
	// concurrency is how many callbacks run, and deliveries are claimed, at once.
	concurrency = 16
)

// A receiver is the process that is killed, as its parent configures it.
type receiver struct {
	Store   engine.Store
	Address string
	Variant broken.Variant
	Lease   time.Duration
}

// Main is for the beginning of TestMain; see [process.Main].
func Main() {
	process.Main(func(ctx context.Context, r receiver) error { return r.serve(ctx) })
}

// serve receives and works until ctx ends.
func (r receiver) serve(ctx context.Context) error {
	db, err := r.Store.Open()
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(10)
	db.SetMaxIdleConns(10)
	plain := sqlinbox.New(db, r.Store.Dialect())
	defer plain.Close()
	if err := plain.Migrate(ctx); err != nil {
		return err
	}
	src, in := source(), r.Variant.Of(plain)
	worker := webhook.NewWorker(in, callback(src.Verifier))
	worker.Concurrency, worker.Lease = concurrency, r.Lease
	worker.Observer = &webhook.Observer{
		Settled: func(_ context.Context, c webhook.Claim, o webhook.Outcome, _ time.Duration) {
			if o.State.Final() {
				process.Print(settled, c.Delivery.ID)
			} else {
				process.Print(released, c.Delivery.ID)
			}
		},
		Lost: func(_ context.Context, c webhook.Claim) { process.Print(released, c.Delivery.ID) },
	}
	routes := http.NewServeMux()
	routes.Handle("/hooks", webhook.NewReceiver(src, webhook.Store(in)))
	routes.HandleFunc("GET /pending", func(w http.ResponseWriter, r *http.Request) {
		n, err := in.Pending(r.Context(), math.MaxInt32)
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, n)
	})
	listener, err := net.Listen("tcp", r.Address)
	if err != nil {
		return err
	}
	process.Ready(listener.Addr().String())
	return webhook.Serve(ctx, &http.Server{Handler: routes, ReadHeaderTimeout: 5 * time.Second}, listener, worker)
}

// source describes the clients: the header has the id and the key, and the body, which
// begins with the id, is signed.
func source() webhook.Source {
	return webhook.Source{
		Name:     "crash",
		Verifier: signature(),
		Describe: func(r *http.Request, _ []byte) webhook.Description {
			return webhook.Description{ID: r.Header.Get("X-Delivery"), Type: "crash.entry", OrderingKey: r.Header.Get("X-Key")}
		},
	}
}

func signature() *webhook.HMAC {
	return &webhook.HMAC{
		Header: "X-Signature",
		Keys:   []webhook.Key{{Label: "test", Secret: webhook.NewSecret("only these tests know it")}},
	}
}

// callback takes a few milliseconds and reports its beginning and its end. It checks
// that the delivery is what was signed.
func callback(v webhook.Verifier) webhook.Handler {
	return webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		claim, _ := webhook.ClaimFromContext(ctx)
		process.Print(begun, d.ID, stamp(time.Now()), stamp(claim.Expires))
		_, err := v.Verify(&http.Request{Header: d.Header}, d.Body)
		if err != nil || !strings.HasPrefix(string(d.Body), d.ID+"\n") {
			process.Print(damaged, d.ID)
			return webhook.Permanent(errors.Join(err, webhook.ErrMalformed))
		}
		if err := wait.Part(ctx, maxRun); err != nil {
			process.Print(failed, d.ID)
			return err
		}
		process.Print(handled, d.ID)
		return nil
	})
}

// stamp is a time in microseconds.
func stamp(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }
