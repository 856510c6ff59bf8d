package publish

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// An Attempt is one try to deliver an event to an endpoint. [Attempt.Validate] says which
// values the fields can have.
type Attempt struct {
	Seq      int64         // order of recording; set by the Store
	Endpoint string        // its ID
	Event    string        // ID of the event
	UID      string        // of the delivery that was tried
	Type     string        // of the event
	Number   int           // 1 for the first try of the delivery
	At       time.Time     // when it began
	Took     time.Duration // until the answer or the error
	Result   Result
	Status   int       // of the answer; zero if there was none
	Reason   string    // why it was no success; cut to 4 KiB
	Response string    // how the body of the answer begins; cut to 1 KiB
	Next     time.Time // when the next try is due; zero if there is none
}

// A Result is what came of an attempt, and what it says about the endpoint.
type Result string

const (
	// Delivered: the endpoint has accepted the event. This ends its failing.
	Delivered Result = "delivered"
	// Failed: the endpoint did not answer, or its answer says that it has a fault. This
	// begins its failing.
	Failed Result = "failed"
	// Rejected: the answer is about this event alone, such as one that is too large. The
	// endpoint goes on failing, or not failing, as before.
	Rejected Result = "rejected"
	// Skipped: no request was made, since the endpoint is disabled, say. The endpoint goes
	// on failing, or not failing, as before.
	Skipped Result = "skipped"
)

// The limits of an Attempt, beside the length of its names.
const maxResponse = 1 << 10

// Validate returns an error that wraps [ErrAttempt] and names the field, its value and the
// fault, if no [Store] takes a. These are the limits:
//
//   - Endpoint, Event, UID and Type have 1 to 255 bytes of UTF-8 without NUL.
//   - Number is between 1 and 2147483647, and Took is not negative. Status is zero or has
//     three digits.
//   - At is between the years 1970 and 294246, and Next is zero or between them.
//   - Result is one of the Results.
//
// Reason and Response come from elsewhere and can be any bytes.
func (a *Attempt) Validate() error {
	if field, fault := a.fault(); fault != "" {
		return fmt.Errorf("%w of endpoint %s: %s: %s", ErrAttempt, quote(a.Endpoint), field, fault)
	}
	return nil
}

// same reports whether a and b are one attempt, which was recorded again perhaps.
func (a Attempt) same(b Attempt) bool {
	return a.Endpoint == b.Endpoint && a.UID == b.UID && a.Number == b.Number && a.At.Equal(b.At) && a.Result == b.Result
}

func (a *Attempt) fault() (field, fault string) {
	for _, f := range []struct{ name, value string }{{"Endpoint", a.Endpoint}, {"Event", a.Event}, {"UID", a.UID}, {"Type", a.Type}} {
		if fault := textFault(f.value, limit.Name); fault != "" {
			return shown(f.name, f.value), fault
		}
		if f.value == "" {
			return f.name, "it is empty"
		}
	}
	switch {
	case a.Number < 1 || a.Number > math.MaxInt32:
		return fmt.Sprintf("Number %d", a.Number), fmt.Sprintf("it must be between 1 and %d", math.MaxInt32)
	case a.Took < 0:
		return fmt.Sprintf("Took %v", a.Took), "it is negative"
	case a.Status != 0 && (a.Status < 100 || a.Status > 999):
		return fmt.Sprintf("Status %d", a.Status), "it must be 0 or have three digits"
	case !slices.Contains([]Result{Delivered, Failed, Rejected, Skipped}, a.Result):
		return shown("Result", string(a.Result)), fmt.Sprintf("it must be %q, %q, %q or %q", Delivered, Failed, Rejected, Skipped)
	}
	if fault := timeFault(a.At, false); fault != "" {
		return "At " + a.At.String(), fault
	}
	if fault := timeFault(a.Next, true); fault != "" {
		return "Next " + a.Next.String(), fault
	}
	return "", ""
}
