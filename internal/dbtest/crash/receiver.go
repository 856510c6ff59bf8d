package crash

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

const (
	// role is the variable that makes a receiver of this program.
	role = "HOOKHOUSE_CRASH_RECEIVER"
	// longestRun bounds a callback.
	longestRun = 10 * time.Millisecond
	// workers are how many callbacks run at once, and so how many are claimed.
	workers = 16
)

// A receiver is the process that is killed. The fields travel in its
// environment.
type receiver struct {
	Driver, DSN string
	Address     string
	Variant     Variant
	Lease       time.Duration
}

// Main is for the beginning of TestMain. It returns at once unless this process
// was started to be a receiver; then it is one, and does not return.
func Main() {
	text, ok := os.LookupEnv(role)
	if !ok {
		return
	}
	var r receiver
	err := json.Unmarshal([]byte(text), &r)
	if err == nil {
		err = r.serve()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve receives and works until standard input ends, by order or because who
// holds the other end is gone.
func (r receiver) serve() error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	db, err := sql.Open(r.Driver, r.DSN)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(10)
	db.SetMaxIdleConns(10)
	dialect := sqlinbox.SQLite
	if r.Driver == "pgx" {
		dialect = sqlinbox.PostgreSQL
	}
	plain := sqlinbox.New(db, dialect)
	defer plain.Close()
	if err := plain.Migrate(ctx); err != nil {
		return err
	}
	src, in := source(), r.Variant.of(plain)
	worker := webhook.NewWorker(in, callback(src.Verifier))
	worker.Concurrency, worker.Lease = workers, r.Lease
	worker.Observer = &webhook.Observer{
		Settled: func(c webhook.Claim, o webhook.Outcome, _ time.Duration) {
			if o.State.Final() {
				tell(settled, c.Delivery.ID)
			} else {
				tell(released, c.Delivery.ID)
			}
		},
		Lost: func(c webhook.Claim) { tell(released, c.Delivery.ID) },
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
	tell("listening", listener.Addr().String())
	return webhook.Serve(ctx, &http.Server{Handler: routes, ReadHeaderTimeout: 5 * time.Second}, listener, worker)
}

// source is the sender that the clients play: the id and the key stand in the
// header, and the body, which begins with the id, is signed.
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

// callback takes a few milliseconds and reports its beginning and its end. What
// it is handed must be what was signed.
func callback(v webhook.Verifier) webhook.Handler {
	return webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		claim, _ := webhook.ClaimFromContext(ctx)
		tell(begun, d.ID, stamp(time.Now()), stamp(claim.Expires))
		_, err := v.Verify(&http.Request{Header: d.Header}, d.Body)
		if err != nil || !strings.HasPrefix(string(d.Body), d.ID+"\n") {
			tell(damaged, d.ID)
			return webhook.Permanent(errors.Join(err, webhook.ErrMalformed))
		}
		if err := pause(ctx, longestRun); err != nil {
			tell(failed, d.ID)
			return err
		}
		tell(handled, d.ID)
		return nil
	})
}

// tell writes one line at once: what is written outlives the process.
func tell(words ...string) { _, _ = os.Stdout.WriteString(strings.Join(words, " ") + "\n") }

// stamp is a time in microseconds.
func stamp(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }
