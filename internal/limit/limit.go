package limit

import "time"

const (
	// Name is the maximum length in bytes of an ID, a type, an ordering key and a dedup
	// key. The indexed text columns of every database hold it.
	Name = 255
	// Reason is the maximum length in bytes of a stored reason.
	Reason = 4 << 10
	// Revivals is how often a redelivery can make a dead delivery waiting again.
	Revivals = 3
)

// The values that zero means.
const (
	Lease         = 30 * time.Second    // of a claim
	ClaimBytes    = 8 << 20             // of the bodies of one Claim
	Window        = 30 * 24 * time.Hour // of a dedup key
	Retention     = 7 * 24 * time.Hour  // of finished deliveries that are not dead
	DeadRetention = 90 * 24 * time.Hour // of dead deliveries
)
