// Package standby runs webhook/sqlinbox on PostgreSQL servers with a standby: what
// Inbox.RequireStandby refuses, what is on two machines and what is not, and a failover
// under load.
//
// In the failover, receivers and workers are processes of their own, and so are the two
// servers. A receiver and a worker are killed, then the primary server, and the standby is
// promoted. The account of the senders is kept in the process of the test. At the end each
// delivery that was answered 202 must have been handled and be a row of the promoted server,
// none may have run after it was settled, and the order of each key must be kept. The time in
// which senders were refused is logged; how long that is depends on who notices and promotes.
package standby
