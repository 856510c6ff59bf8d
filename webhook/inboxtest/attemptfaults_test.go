package inboxtest

import (
	"context"
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
)

// attemptFaults break the laws of attempts.
var attemptFaults = []brokenLaw{
	{"a failed run leaves an attempt", func(f *fault) { // without how long it took
		f.changeAttempts(func(_ *webhook.Record, a *webhook.Attempt) {
			if a.State == webhook.Waiting && !a.Lost {
				a.Took = 0
			}
		})
	}},
	{"a run after which its delivery is dead leaves an attempt", func(f *fault) { // to run again
		f.changeAttempts(func(_ *webhook.Record, a *webhook.Attempt) {
			if a.State == webhook.Dead {
				a.State = webhook.Waiting
			}
		})
	}},
	{"a failed run of a delivery that becomes superseded leaves an attempt", func(f *fault) {
		f.changeRecords(func(r *webhook.Record) {
			if r.State == webhook.Superseded {
				r.Attempts = nil
			}
		})
	}},
	{"a lost claim leaves a lost attempt", func(f *fault) { // of who claimed it then
		f.changeAttempts(func(r *webhook.Record, a *webhook.Attempt) {
			if a.Lost && r.State == webhook.Done {
				a.By = "bob"
			}
		})
	}},
	{"a released claim leaves a lost attempt", func(f *fault) { // as if it had ended
		f.changeAttempts(func(r *webhook.Record, a *webhook.Attempt) {
			if a.Lost && r.State == webhook.Waiting {
				a.Lost = false
			}
		})
	}},
	{"a success leaves no attempt", func(f *fault) {
		f.changeRecords(func(r *webhook.Record) {
			if r.State == webhook.Done && len(r.Attempts)+len(r.Replays) == 0 {
				r.Attempts = []webhook.Attempt{{Number: 1, State: webhook.Done}}
			}
		})
	}},
	{"an ignored delivery leaves no attempt", func(f *fault) {
		f.changeRecords(func(r *webhook.Record) {
			if r.State == webhook.Ignored {
				r.Attempts = []webhook.Attempt{{Number: 1, State: webhook.Ignored}}
			}
		})
	}},
	{"a run that is not counted leaves no attempt", func(f *fault) {
		f.changeRecords(func(r *webhook.Record) {
			if r.Attempt == 0 && r.Fence == 1 {
				r.Attempts = []webhook.Attempt{{Number: 1, State: webhook.Waiting}}
			}
		})
	}},
	{"a suspect whose run does not begin leaves no attempt", func(f *fault) { // each claim leaves one
		f.changeRecords(func(r *webhook.Record) {
			if n := len(r.Attempts); n == 2 && r.Attempts[1].Lost && r.Fence > 3 {
				r.Attempts = append(r.Attempts, r.Attempts[1])
			}
		})
	}},
	{"the newest attempts are kept, oldest first", func(f *fault) { // newest first
		f.changeRecords(func(r *webhook.Record) {
			if len(r.Attempts) >= fewest {
				slices.Reverse(r.Attempts)
			}
		})
	}},
	{"attempts stay when a delivery is replayed", func(f *fault) { // those of before go
		f.changeRecords(func(r *webhook.Record) {
			if len(r.Replays) > 0 && len(r.Attempts) > 2 {
				r.Attempts = r.Attempts[len(r.Attempts)-1:]
			}
		})
	}},
	{"a long name and a long reason are cut", func(f *fault) { // to one length
		f.changeAttempts(func(_ *webhook.Record, a *webhook.Attempt) {
			if len(a.Reason) > 255 {
				a.Reason = a.Reason[:255]
			}
		})
	}},
	{"attempts are deleted with their delivery", func(f *fault) { // they are of whoever has its UID
		swept := f.swept()
		f.admin.get = func(ctx context.Context, uid string) (webhook.Record, error) {
			r, err := f.MemInbox.Get(ctx, uid)
			if *swept && len(r.Attempts) == 0 {
				r.Attempts = []webhook.Attempt{{Number: 1, State: webhook.Dead}}
			}
			return r, err
		}
	}},
}
