// Package pace measures rates of the inbox in a process of its own, slice by
// slice, so that the processes of two commits can take turns.
//
// The package and its program are also built in the tree of an older commit.
// Therefore they use only what both commits have: sqlinbox.New, Migrate, Put,
// Claim, Pending and Close, webhook.NewWorker and Run, and nothing else of this
// module. Fields that had another name in an older commit are set by reflection,
// in names.go.
package pace
