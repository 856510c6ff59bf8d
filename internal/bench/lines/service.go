package lines

import "context"

// A deployer is the user's own code.
type deployer func(ctx context.Context, branch, commit string) error
