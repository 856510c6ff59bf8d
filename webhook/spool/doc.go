// Package spool accepts deliveries while the primary inbox is slow or away, and moves
// deliveries from one inbox to another.
//
// A [Spool] is a [webhook.Handler] before a primary inbox. If the primary does not store
// a delivery in time, the Spool stores it in a local inbox on the same machine, so that
// the sender gets its 202. A [Relay] claims deliveries from any [webhook.Queue] and
// passes each to a Handler, in the order of its ordering key. A Spool forwards with a
// Relay. A program can use a Relay alone, for example to move to another database.
//
//	http.Handle("/hooks/github", webhook.NewReceiver(source, s))    // s is spool.New(webhook.Store(postgres), sqlite)
//	go s.Run(ctx)                                                   // in the process of the receiver
//	webhook.NewWorker(postgres, &mux).Run(ctx)                      // in any process
//
//	          ┌─────────── works ──────────► primary ──► Worker
//	Receiver ─┤ Spool                          ▲
//	          └─ slow or away ─► local ─ Relay ┘
//
// # Guarantees
//
//   - A delivery that was acknowledged is in the primary inbox or in the local one.
//     Either database, or the process, may stop and start at any point.
//   - If the primary stored a delivery but the reply was lost, forwarding it again is a
//     duplicate by UID and has no effect.
//   - Of one ordering key, a delivery that was acknowledged before another one arrived
//     is in the primary before it. This holds for the deliveries that pass one Spool.
//   - A delivery that the primary refuses permanently does not stop the others.
//
// # Limits
//
// A local inbox belongs to one Spool of one process, and to no Worker: what is in it
// waits for that machine and that process. An ordering key that arrives at two machines
// has an order within each only. For what a Spool promises, the local inbox must be as
// durable as the primary.
package spool
