// Package lines has one service, written with each library as its documentation
// recommends: deploy what is pushed to a branch on GitHub, refuse calls that are
// not genuine, limit the body, and shut down in order. The test runs each service
// against the same calls and counts its lines for the README: what the file
// declares, without imports, blank lines and comments.
//
// Two services answer after the work is done and store nothing, so that a failure
// or a crash loses the call. Two store the call, answer, and do the work later.
package lines

import "context"

// A deployer is the user's own code.
type deployer func(ctx context.Context, branch, commit string) error
