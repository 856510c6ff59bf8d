package jobserv

// failureRun is the name of the run that JobServ adds to a build which failed before it began
// (JobServ: trigger.py, _fail_unexpected).
const failureRun = "build-failure"

// completion returns the status with which a build was completed. A promotion replaces it,
// also that of a build that failed, and adds no event (JobServ: api/build.py, build_promote).
// The list has no events; there the runs tell it (JobServ: models.py, get_cumulative_status).
func (b Build) completion() Status {
	if b.Result() != Promoted {
		return b.Result()
	}
	if events := b.StatusEvents.Or(nil); len(events) > 0 {
		if last := events[len(events)-1].Status; last == Passed || last == Failed {
			return last
		}
	}
	for _, r := range b.Runs {
		if r.Status == Failed {
			return Failed
		}
	}
	return Passed
}

// called reports whether JobServ calls for a build that is complete: one of its runs has been
// completed (JobServ: api/run.py). The runs of an external build, and those of one that failed
// before it began, have no events and so no times. The times of the build itself do not tell
// it: in whole seconds those of a build that ran may be equal.
func (b Build) called() bool {
	if len(b.Runs) == 1 && b.Runs[0].failedBefore() {
		return false
	}
	for _, r := range b.Runs {
		if r.Completed.Valid() {
			return true
		}
	}
	return !b.Created.Valid() || b.Completed.After(b.Created.Time) // no run has times
}

// failedBefore reports whether r stands for a failure before the build began.
func (r Run) failedBefore() bool {
	return r.Name == failureRun && r.HostTag.Or("") == "" && r.Completed.Equal(r.Created.Time)
}
