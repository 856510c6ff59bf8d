package jobserv

// A Status is the state of a build, run, test or test result, as it is named on
// the wire (JobServ: models.py). A notification has Passed or Failed at the top;
// the others appear in [Build.StatusEvents] and in answers to a [Client].
type Status string

// The statuses.
const (
	Queued              Status = "QUEUED"
	Running             Status = "RUNNING"
	Passed              Status = "PASSED"
	Failed              Status = "FAILED"
	RunningWithFailures Status = "RUNNING_WITH_FAILURES"
	Uploading           Status = "UPLOADING"
	Promoted            Status = "PROMOTED"
	Skipped             Status = "SKIPPED"
	Cancelling          Status = "CANCELLING"
)

// Passed reports whether the status is PASSED, or PROMOTED, which is a passed
// build that was given a name.
func (s Status) Passed() bool { return s == Passed || s == Promoted }

// Complete reports whether nothing more is to come, unless somebody starts a
// rerun.
func (s Status) Complete() bool {
	switch s {
	case Passed, Failed, Promoted, Skipped:
		return true
	default:
		return false
	}
}
