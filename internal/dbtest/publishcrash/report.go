package publishcrash

import (
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/crash"
	"github.com/hookhouse/hookhouse/internal/dbtest/ledger"
)

// A Report is the result of a trial.
type Report struct {
	Name       string
	Kills      int // that counted
	Published  int // events
	Requests   int
	InFlight   int           // requests begun and not settled, at all kills
	SecondRuns int           // requests of what was in flight at a kill
	Retried    int           // requests of what was given back
	Expired    int           // second requests of others, because a busy machine let a lease run out
	Deleted    int           // endpoints
	Latest     time.Duration // the longest from the end of a Delete to the beginning of a request
	Lost       []string      // event@endpoint, of what was published and has not arrived
	Faults     []string      // sentences
	Took       time.Duration
}

// Err returns nil if every promise was kept, and there was one.
func (r Report) Err() error {
	var errs []error
	if r.Kills == 0 || r.Published == 0 || r.Deleted == 0 {
		errs = append(errs, fmt.Errorf("%w: %d kills, %d events published, %d endpoints deleted", crash.ErrVacuous, r.Kills, r.Published, r.Deleted))
	}
	if len(r.Lost) > 0 {
		errs = append(errs, fmt.Errorf("%d published events have not arrived: %s", len(r.Lost), ledger.First(r.Lost, " ")))
	}
	if r.SecondRuns > r.InFlight {
		errs = append(errs, fmt.Errorf("%d second runs, but only %d were in flight at kills", r.SecondRuns, r.InFlight))
	}
	if len(r.Faults) > 0 {
		errs = append(errs, fmt.Errorf("%d faults: %s", len(r.Faults), ledger.First(r.Faults, "; ")))
	}
	return errors.Join(errs...)
}

// String returns the report in two lines.
func (r Report) String() string {
	return fmt.Sprintf("%s: %d kills, %d events published, %d lost, %d ran twice (of %d in flight at kills), %d endpoints deleted, the latest request %v after\n"+
		"%s: %d requests, %d of what was given back, %d leases ran out without a kill, in %v",
		r.Name, r.Kills, r.Published, len(r.Lost), r.SecondRuns, r.InFlight, r.Deleted, r.Latest.Round(time.Millisecond),
		r.Name, r.Requests, r.Retried, r.Expired, r.Took.Round(time.Second))
}
