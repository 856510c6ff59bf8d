package storetest

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// recordingFaults break the laws of Record about the attempt.
var recordingFaults = []brokenLaw{
	{"an attempt is stored with every field", func(f *fault) {
		f.changeRecorded(func(a *publish.Attempt) { a.Next = time.Time{} })
	}},
	{"an attempt has a higher Seq than those that were recorded before", func(f *fault) {
		f.changeAttempts(func(a *publish.Attempt) bool {
			if a.Endpoint == "ep" && a.UID == "uid" && a.Result == publish.Delivered && a.Seq <= 3 && a.At.Equal(someTime) {
				a.Seq = 1
			}
			return true
		})
	}},
	{"Record ignores Seq", func(f *fault) {
		var given int64
		f.record = func(ctx context.Context, a publish.Attempt) (bool, error) {
			if a.Seq > 1<<30 {
				given = a.Seq
			}
			return f.MemStore.Record(ctx, a)
		}
		f.changeAttempts(func(a *publish.Attempt) bool {
			if given != 0 {
				a.Seq = given
			}
			return true
		})
	}},
	{"times of an attempt are kept to the microsecond", func(f *fault) { // to the millisecond
		f.changeRecorded(func(a *publish.Attempt) {
			if a.Took > 0 {
				a.Took = a.Took.Truncate(time.Millisecond)
			}
		})
	}},
	{"attempts that are recorded at once are all stored", func(f *fault) {
		busy := concurrent()
		f.record = func(ctx context.Context, a publish.Attempt) (bool, error) {
			if a.Endpoint == "ep0" && busy() {
				return false, nil
			}
			return f.MemStore.Record(ctx, a)
		}
	}},
	{"the same attempt can be recorded again", func(f *fault) {
		f.record = func(ctx context.Context, a publish.Attempt) (bool, error) {
			if a.Endpoint == "again" && f.recorded() == 1 {
				return false, nil
			}
			return f.MemStore.Record(ctx, a)
		}
	}},
	{"an attempt of an unknown endpoint is stored", func(f *fault) { // as one that begins its failing
		f.changeRecorded(func(*publish.Attempt) {}, func(a publish.Attempt, began *bool) {
			*began = *began || a.Endpoint == "unknown"
		})
	}},
	{"a long Reason and a long Response are cut", func(f *fault) { // to one length
		f.changeRecorded(func(a *publish.Attempt) { a.Reason = a.Reason[:min(len(a.Reason), 1<<10)] })
	}},
	{"what is no text in a Reason or a Response is replaced", func(f *fault) { // by nothing
		f.changeRecorded(func(a *publish.Attempt) { a.Reason = strings.ToValidUTF8(a.Reason, "") })
	}},
	{"Record refuses an invalid attempt", func(f *fault) { // corrects it
		f.changeRecorded(func(a *publish.Attempt) { a.Took = max(a.Took, 0) })
	}},
	{"nothing of an attempt that was refused is stored", func(f *fault) {
		f.record = func(ctx context.Context, a publish.Attempt) (bool, error) {
			began, err := f.MemStore.Record(ctx, a)
			if errors.Is(err, publish.ErrAttempt) && a.Endpoint != "beside" {
				a.Number = 1
				_, _ = f.MemStore.Record(ctx, a)
			}
			return began, err
		}
	}},
	{"an attempt that is refused does not keep those recorded with it from being stored", func(f *fault) {
		var refused atomic.Int64
		f.record = func(ctx context.Context, a publish.Attempt) (bool, error) {
			err := a.Validate()
			if err != nil {
				refused.Add(1)
				defer refused.Add(-1)
			}
			if <-time.After(time.Microsecond); err == nil && a.Endpoint == "beside" && refused.Load() > 0 {
				return false, publish.ErrAttempt
			}
			<-time.After(time.Microsecond)
			return f.MemStore.Record(ctx, a)
		}
	}},
	{"Get returns the attempt that was recorded last", func(f *fault) { // the one that began last
		f.changeGot(func(e *publish.Endpoint) {
			for a := range f.MemStore.Attempts(context.Background(), publish.AttemptFilter{Endpoint: e.ID}) {
				if a.At.After(e.Last.At) {
					e.Last = a
				}
			}
		})
	}},
	{"Last is zero without an attempt", func(f *fault) { // that of anybody
		f.changeGot(func(e *publish.Endpoint) {
			for a := range f.MemStore.Attempts(context.Background(), publish.AttemptFilter{Limit: 1}) {
				if e.Last.Seq == 0 {
					e.Last = a
				}
			}
		})
	}},
}

// recorded returns the number of attempts.
func (f *fault) recorded() (n int) {
	for range f.MemStore.Attempts(context.Background(), publish.AttemptFilter{}) {
		n++
	}
	return n
}

// failingFaults break the laws of Record about the failing of an endpoint.
var failingFaults = []brokenLaw{
	{"the failing of an endpoint begins when the failed attempt began", func(f *fault) { // when it ended
		f.changeGot(func(e *publish.Endpoint) {
			if f.recorded() == 1 && e.FailingSince.Equal(someTime) && e.Description == "" {
				e.FailingSince = someTime.Add(time.Second)
			}
		})
	}},
	{"began is true if the failing begins", func(f *fault) {
		f.changeRecorded(func(*publish.Attempt) {}, func(a publish.Attempt, began *bool) {
			if a.Endpoint == "begins" {
				*began = false
			}
		})
	}},
	{"began is false if the endpoint is failing", func(f *fault) {
		f.changeRecorded(func(*publish.Attempt) {}, func(a publish.Attempt, began *bool) {
			*began = *began || a.Endpoint == "goes on"
		})
	}},
	{"a later failure does not change since when an endpoint is failing", func(f *fault) { // the last does
		f.changeGot(func(e *publish.Endpoint) {
			if e.Last.Result == publish.Failed && f.recorded() > 2 && e.Last.At.Sub(someTime) == 2*time.Hour {
				e.FailingSince = e.Last.At
			}
		})
	}},
	{"a success ends the failing", func(f *fault) {
		f.changeGot(func(e *publish.Endpoint) {
			if e.FailingSince.IsZero() && e.Last.Result == publish.Delivered && f.recorded() == 2 && e.Description == "" {
				e.FailingSince = someTime
			}
		})
	}},
	{"after a success the failing can begin again", func(f *fault) {
		f.changeRecorded(func(*publish.Attempt) {}, func(a publish.Attempt, began *bool) {
			if !a.At.Equal(someTime) {
				*began = false
			}
		})
	}},
	{"rejected and skipped attempts do not begin the failing", func(f *fault) {
		f.changeRecorded(func(*publish.Attempt) {}, func(a publish.Attempt, began *bool) {
			*began = *began || a.Result == publish.Skipped && len(f.failing()) == 0
		})
	}},
	{"rejected and skipped attempts do not end the failing", func(f *fault) {
		f.changeRecorded(func(a *publish.Attempt) {
			if a.Result == publish.Skipped && len(f.failing()) > 0 {
				a.Result = publish.Delivered
			}
		})
	}},
	{"an attempt does not change the State", func(f *fault) {
		f.changeRecorded(func(*publish.Attempt) {}, func(a publish.Attempt, began *bool) {
			if a.Result == publish.Delivered {
				_, _ = f.MemStore.Update(context.Background(), a.Endpoint, func(e *publish.Endpoint) error {
					e.State = publish.Active
					return nil
				})
			}
		})
	}},
	{"an attempt changes no other endpoint", func(f *fault) { // ends the failing of others
		f.changeRecorded(func(*publish.Attempt) {}, func(a publish.Attempt, _ *bool) {
			for _, e := range f.failing() {
				if a.Result == publish.Delivered && e.ID != a.Endpoint && f.recorded() == 3 {
					_, _ = f.MemStore.Update(context.Background(), e.ID, func(e *publish.Endpoint) error {
						e.FailingSince = time.Time{}
						return nil
					})
				}
			}
		})
	}},
	{"of failures that are recorded at once, one begins the failing", func(f *fault) {
		busy := concurrent()
		f.changeRecorded(func(*publish.Attempt) {}, func(a publish.Attempt, began *bool) {
			*began = *began || a.Result == publish.Failed && busy()
		})
	}},
	{"the failing of many endpoints begins and ends at once", func(f *fault) {
		busy := concurrent()
		f.changeRecorded(func(a *publish.Attempt) {
			if a.Result == publish.Delivered && busy() {
				a.Result = publish.Skipped
			}
		})
	}},
}
