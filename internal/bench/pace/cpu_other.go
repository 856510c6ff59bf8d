//go:build !unix

package pace

import "time"

// ProcessTime is zero, as this system does not say.
func ProcessTime() time.Duration { return 0 }
