package env

import (
	"time"
)

// A Meter measures from its start on what is used besides the programs under
// test.
type Meter struct {
	env            *Env
	start          time.Time
	busy, database time.Duration
}

// Meter starts one.
func (e *Env) Meter() Meter { return Meter{e, time.Now(), busyTime(), e.databaseTime()} }

func (e *Env) databaseTime() (all time.Duration) {
	if e.server != nil {
		all += treeTime(e.server.PID())
	}
	if e.broker != nil {
		all += treeTime(e.broker.Node(0).PID())
	}
	return all
}

// Database returns the processor time of PostgreSQL and RabbitMQ, or zero if the system does
// not say. A run uses one of them, or its figures are those of both.
func (m Meter) Database() time.Duration { return m.env.databaseTime() - m.database }

// Others returns how many processors other programs used on average, given the
// processor time of the programs under test.
func (m Meter) Others(used time.Duration) float64 {
	return max(0, float64(busyTime()-m.busy-used)/float64(time.Since(m.start)))
}

// Quiet calls run until other programs used at most limit processors, up to six
// times, and returns the quietest result. A limit of zero means that the first
// result is good enough.
func Quiet[T any](limit float64, run func() (result T, others float64, err error)) (best T, err error) {
	var least float64
	for try := range 6 {
		r, others, err := run()
		if err != nil {
			return r, err
		}
		if try == 0 || others < least {
			best, least = r, others
		}
		if limit <= 0 || least <= limit {
			break
		}
	}
	return best, nil
}
