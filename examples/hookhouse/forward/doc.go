// Package forward sends what a running service receives to a service on this machine, in the
// order in which it was received: signed again, as each sender does it.
//
// It reads the list of the inspector of that service (package webhook/inspect), and the live
// list tells it when to read again. So nothing is lost while one of the two services is away,
// as long as the first one keeps the delivery. What is not sent is reported with the cause.
// The body of one delivery is in memory at a time, and of those that wait no more than a
// thousand are remembered: the list is read again for the others.
package forward
