package crash

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/broken"
	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
	"github.com/hookhouse/hookhouse/internal/dbtest/process"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
)

const (
	// minAtStake is how many requests must be in flight for a kill to count, and how
	// many deliveries acknowledged since the kill before.
	minAtStake = 16
	// maxPending is how many deliveries may be unfinished when the load goes on, so
	// that the worker keeps up over hundreds of kills.
	maxPending = 256
)

// ErrVacuous means that there was no moment at which a kill would prove anything.
var ErrVacuous = errors.New("crash: no kill counted")

// A Trial says what is killed, how often, and under which load.
type Trial struct {
	Name    string           // of the database
	Store   engine.Store     // is empty
	Server  *postgres.Server // Nil means that only the receiver is killed.
	Variant broken.Variant   // Zero means sqlinbox as it is.
	Kills   int              // that count
	Wait    time.Duration    // from one try of a kill to the next, at most; Zero means 50 ms.
	Tries   int              // in a row without a kill that counts; Zero means 400.
	Clients int              // Zero means 64.
	Lease   time.Duration    // of the worker; Zero means 3 s.
	Output  io.Writer        // gets a line for each kill
}

// Run runs the trial. [Report.Err] says whether a promise was broken. The error of Run
// is [ErrVacuous], or why the trial could not run.
func (t Trial) Run(ctx context.Context) (Report, error) {
	began := time.Now()
	r := &run{Trial: t, account: newAccount()}
	r.config = receiver{Store: t.Store, Address: "127.0.0.1:0", Variant: t.Variant, Lease: cmp.Or(t.Lease, 3*time.Second)}
	defer func() {
		if r.receiver != nil {
			r.receiver.Kill()
		}
	}()
	if err := r.startReceiver(ctx); err != nil {
		return Report{}, err
	}
	r.load = newLoad(r.config.Address, r.account)
	r.load.start(ctx, r.clients())
	defer r.load.stop()
	if err := Repeat(t.Kills, t.Tries, func() (bool, error) { return r.killOnce(ctx) }, r.moment); err != nil {
		return Report{}, err
	}
	if err := r.resume(ctx); err != nil {
		return Report{}, err
	}
	r.load.stop()
	if err := r.drain(ctx, 0); err != nil {
		return Report{}, err
	}
	if err := r.receiver.Stop(ctx); err != nil {
		return Report{}, err
	}
	report := r.account.report()
	report.Name, report.Kills, report.Refused, report.Took = t.Name, r.kills, int(r.load.refused.Load()), time.Since(began)
	return report, nil
}

// Repeat calls killOnce until n kills have counted. The error is its own, or [ErrVacuous] with
// the moment if it was called tries times in a row and none has counted. Zero tries means 400.
func Repeat[M fmt.Stringer](n, tries int, killOnce func() (counted bool, err error), moment func() M) error {
	tries = cmp.Or(tries, 400)
	for kills, tried := 0, 0; kills < n; {
		counted, err := killOnce()
		if err != nil {
			return err
		}
		if tried++; counted {
			kills, tried = kills+1, 0
		}
		if tried == tries {
			return fmt.Errorf("%w in %d tries: %s", ErrVacuous, tried, moment())
		}
	}
	return nil
}

// A run is a trial under way.
type run struct {
	Trial
	config   receiver
	account  *account
	load     *load
	receiver *process.Process
	kills    int // that count
}

func (r *run) clients() int { return cmp.Or(r.Clients, 64) }

// startReceiver starts the receiver. From the second time on it listens at the address
// of the first.
func (r *run) startReceiver(ctx context.Context) (err error) {
	if r.receiver, err = process.Start(ctx, r.config, r.account.read); err == nil {
		r.config.Address = r.receiver.Address
	}
	return err
}

// resume lets the load go on for a while after the last kill.
func (r *run) resume(ctx context.Context) error {
	r.load.open()
	return wait.Until(ctx, "deliveries are acknowledged after the last kill", func() bool { return r.moment().acknowledged >= 2*r.clients() })
}

// drain returns when no more than most deliveries are unfinished.
func (r *run) drain(ctx context.Context, most int) error {
	err := wait.Until(ctx, fmt.Sprintf("no more than %d deliveries are unfinished", most), func() bool {
		n, err := r.pending(ctx)
		return err == nil && n <= most
	})
	if err != nil {
		return fmt.Errorf("%w\n%s", err, r.receiver.Log())
	}
	return nil
}

// pending asks the receiver how many deliveries are unfinished.
func (r *run) pending(ctx context.Context) (n int, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.config.Address+"/pending", nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = fmt.Fscan(answer.Body, &n)
	return n, err
}
