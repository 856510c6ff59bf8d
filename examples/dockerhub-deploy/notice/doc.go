// Package notice notifies people of the results of deployments: by a URL, by Slack, or by a
// program.
//
// Each channel gets a notice of its own, which the caller stores as a delivery: so one
// channel that is away delays no other, and none affects a deployment. A channel may get a
// notice more than once.
package notice
