package publish

import "time"

// A Filter selects the endpoints that match all of its fields that are set. The zero
// Filter selects all.
type Filter struct {
	Owners  []string // of one of these, of which one may be empty
	Name    string   // this one, without regard to case
	States  []State  // in one of these
	Failing bool     // only those that are failing
	After   int64    // with a higher Seq than this; for the next page, that of the last Endpoint
	Limit   int      // the largest number to return; zero means no limit
}

// An AttemptFilter selects the attempts that match all of its fields that are set. The zero
// AttemptFilter selects all.
type AttemptFilter struct {
	Endpoint string    // of the endpoint with this ID, which may have been deleted
	Event    string    // of the event with this ID
	UID      string    // of the delivery with this UID; needs Endpoint or Event beside it to be quick
	Results  []Result  // with one of these
	From     time.Time // begun then or later
	To       time.Time // begun before
	Before   int64     // with a lower Seq than this; for the next page, that of the last Attempt
	Limit    int       // the largest number to return; zero means no limit
}
