// Package pace measures rates of the inbox in a process of its own, a slice at a
// time, so that the processes of two commits can take turns.
//
// The package and its program are built into an older commit's tree as well. So
// they use only what both have: sqlinbox.New, Migrate, Put, Claim, Pending and
// Close, webhook.NewWorker with Run, and nothing else of this module. A field that
// has another name in the older commit is set by reflection, in names.go alone.
// What a Worker does not need, such as the result of Settle, stays out.
package pace
