package publish

// A Target is an endpoint that is to receive an event. It has what the fan-out of an event
// needs, and no secret.
type Target struct {
	ID    string // of the endpoint
	Lanes int    // of the endpoint, as registered
}
