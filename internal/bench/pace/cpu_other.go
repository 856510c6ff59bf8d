//go:build !unix

package pace

import "time"

// ProcessTime is not known here: zero.
func ProcessTime() time.Duration { return 0 }
