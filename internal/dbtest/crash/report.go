package crash

import (
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/ledger"
)

// A Report is the result of a trial.
type Report struct {
	Name          string
	Kills         int // that counted
	Sent          int // deliveries; some are sent several times
	Acknowledged  int
	FoundStored   int      // of them, those that a call without an answer had stored
	Refused       int      // calls answered otherwise than by 202
	Unanswered    int      // deliveries that were never acknowledged
	UnansweredRan int      // of them, those that ran all the same
	SecondRuns    int      // of deliveries that a kill met claimed
	Claimed       int      // deliveries, at all kills
	Expired       int      // second runs of others, because a busy machine let a lease run out
	Lost          []string // ids of those acknowledged and never handled
	Faults        []string // sentences
	Took          time.Duration
}

// Err returns nil if every promise was kept, and there was one.
func (r Report) Err() error {
	var errs []error
	if r.Kills == 0 || r.Acknowledged == 0 {
		errs = append(errs, fmt.Errorf("%w: %d kills, %d acknowledged", ErrVacuous, r.Kills, r.Acknowledged))
	}
	if len(r.Lost) > 0 {
		errs = append(errs, fmt.Errorf("%d acknowledged deliveries were never handled: %s", len(r.Lost), ledger.First(r.Lost, " ")))
	}
	if r.SecondRuns > r.Claimed {
		errs = append(errs, fmt.Errorf("%d second runs, but only %d were claimed at kills", r.SecondRuns, r.Claimed))
	}
	if len(r.Faults) > 0 {
		errs = append(errs, fmt.Errorf("%d faults: %s", len(r.Faults), ledger.First(r.Faults, "; ")))
	}
	return errors.Join(errs...)
}

// String returns the report in two lines.
func (r Report) String() string {
	return fmt.Sprintf("%s: %d kills, %d acknowledged, %d lost, %d second runs (at most %d claimed at kills), %d unanswered\n"+
		"%s: %d deliveries sent, %d found stored when sent again, %d unanswered ones ran, %d calls refused, %d leases ran out without a kill, in %v",
		r.Name, r.Kills, r.Acknowledged, len(r.Lost), r.SecondRuns, r.Claimed, r.Unanswered,
		r.Name, r.Sent, r.FoundStored, r.UnansweredRan, r.Refused, r.Expired, r.Took.Round(time.Second))
}
