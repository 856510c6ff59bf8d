package publish

import "errors"

// The sentinel errors. The errors of this package wrap one of them, or one of a database,
// and say where and why. Test for them with [errors.Is]. Their text contains no secret, no
// value of a header, and of a URL the scheme and the host only.
var (
	// ErrEndpoint: a field of an endpoint has a value that it cannot have. The text names
	// the field, the value and the fault.
	ErrEndpoint = errors.New("publish: invalid endpoint")
	// ErrAttempt: a field of an attempt has a value that it cannot have. The text names the
	// field, the value and the fault.
	ErrAttempt = errors.New("publish: invalid attempt")
	// ErrEvent: a field of an event has a value that it cannot have. The text names the
	// field, the value and the fault.
	ErrEvent = errors.New("publish: invalid event")
	// ErrNotFound: there is no such endpoint.
	ErrNotFound = errors.New("publish: no such endpoint")
	// ErrExists: the ID of the endpoint is in use, or another endpoint of its owner has its
	// name.
	ErrExists = errors.New("publish: endpoint exists")
	// ErrUnsupported: the inbox lacks what the call needs, such as a PutTx.
	ErrUnsupported = errors.New("publish: not supported by the inbox")
)
