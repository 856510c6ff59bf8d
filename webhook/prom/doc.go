// Package prom makes Prometheus metrics of receivers, workers, inboxes and catch-ups. It is a module
// of its own, so that only programs that use it depend on
// github.com/prometheus/client_golang.
//
//	m := prom.New(mux.Types()...)
//	receiver.Observer, worker.Observer = m.Observer(), m.Observer()
//	inbox.Observer = m.InboxObserver() // of a sqlinbox.Inbox
//	http.Handle("/metrics", prom.Handler(m, m.Stats(inbox), prom.Health(map[string]*webhook.Worker{"main": worker})))
//
// [Handler] serves them with a program's own metrics. A program that has a registry registers
// the same Collectors there instead. [webhook.MultiObserver] joins an Observer of this package with others. [Dashboard] is a
// dashboard for Grafana that shows all of these metrics.
//
// # Metrics of the Observers
//
// A Metrics has these from the start of the process. Durations are in seconds, sizes in
// bytes.
//
//	counter    hookhouse_requests_rejected_total{source,status}    requests refused before they became a delivery
//	counter    hookhouse_received_total{source,type,outcome}       deliveries that the Handler of a Receiver was called for
//	histogram  hookhouse_receive_duration_seconds{source,outcome}  from the header of the request to the answer
//	histogram  hookhouse_received_body_bytes{source}               sizes of the bodies
//	counter    hookhouse_claims_total{type}                        claims by a Worker
//	histogram  hookhouse_delivery_lag_seconds{type}                from arrival to the claim of a first attempt
//	counter    hookhouse_attempts_total{type,state}                settled claims, by the state of the delivery after it
//	histogram  hookhouse_attempt_duration_seconds{type}            attempts that began
//	counter    hookhouse_claims_lost_total{type}                   claims that the Worker could not settle
//	counter    hookhouse_overdue_total{type}                       reports of callbacks that should have returned, one a minute for each
//	counter    hookhouse_inbox_stored_total{source}                deliveries committed by Put
//	counter    hookhouse_inbox_duplicates_total{source}            deliveries not stored, as they were duplicates
//	counter    hookhouse_inbox_superseded_total{source}            deliveries that a newer one of their burst ended when it was stored
//	counter    hookhouse_inbox_refused_total{source}               Puts that failed
//	histogram  hookhouse_inbox_put_duration_seconds                Puts that stored a delivery
//	histogram  hookhouse_inbox_commit_duration_seconds{result}     transactions that store a batch of Puts
//	histogram  hookhouse_inbox_batch_puts                          Puts in such a transaction, if it was committed
//	histogram  hookhouse_inbox_batch_bytes                         headers and bodies in it
//	counter    hookhouse_inbox_swept_total                         finished deliveries deleted
//	counter    hookhouse_inbox_repaired_total                      stuck ordering keys repaired: each one is a fault
//
// The outcome is "accepted", "duplicate", "ignored" (also for a type without a callback)
// or "failed". The result is "ok" or "error". A delivery that is replayed has the lag
// since it arrived.
//
// If the caller's Traceparent is sampled, the duration of a receive and of an attempt and
// the lag have its trace ID as an exemplar. Exemplars are part of the OpenMetrics format
// only; see promhttp.HandlerOpts.
//
// # Metrics of the stored deliveries
//
// [Metrics.Stats] has these. Numbers of deliveries are the same in every process that shares
// the database: aggregate them with max, not with sum. Unhandled types are those of one
// process: a type that another process handles counts too.
//
//	gauge      hookhouse_stored_deliveries{type,state}   deliveries in the inbox
//	gauge      hookhouse_oldest_due_seconds{type}        how long the oldest delivery could have been claimed
//	gauge      hookhouse_unhandled_types                 types that are due and that no Worker of this process claims
//	gauge      hookhouse_pauses{type}                    pauses in force
//	gauge      hookhouse_pause_blocked_deliveries{type}  deliveries of any type that are blocked by one of the paused type
//	gauge      hookhouse_stats_up                        1 if the inbox answered when it was last asked, else 0
//	gauge      hookhouse_stats_duration_seconds          how long that answer took
//	gauge      hookhouse_stats_timestamp_seconds         when the numbers were read, as Unix time
//
// A pause of all types has the type "*". Where no pause is in force, hookhouse_pauses and
// hookhouse_pause_blocked_deliveries are absent.
//
// # Metrics of the Workers
//
// [Health] has these, each with the label worker.
//
//	gauge      hookhouse_worker_running{worker}                       1 while Run runs, else 0
//	gauge      hookhouse_worker_slots{worker}                         attempts that may run at once
//	gauge      hookhouse_worker_slots_in_use{worker}                  attempts in progress
//	gauge      hookhouse_worker_slots_overdue{worker}                 of these, callbacks that should have returned
//	gauge      hookhouse_worker_slots_unsettled{worker}               of these, finished work that the inbox has not settled for a lease
//	gauge      hookhouse_worker_suspects{worker}                      claims that wait until they can run alone
//	gauge      hookhouse_worker_claim_wait_seconds{worker}            how long the inbox has not answered a Claim
//	gauge      hookhouse_worker_last_claim_timestamp_seconds{worker}  when the inbox last answered one, as Unix time
//
// # Metrics of the catch-ups
//
// [CatchUps] has these, each with the label target. The counters count since Run began.
//
//	gauge      hookhouse_catchup_missing{target}                      events that are missing now
//	counter    hookhouse_catchup_found_total{target}                  events that were found missing
//	counter    hookhouse_catchup_settled_total{target}                of these, events that the inbox knows now
//	counter    hookhouse_catchup_lost_total{target}                   of these, events that the sender does not have any more
//	counter    hookhouse_catchup_looks_total{target}                  looks that were completed
//	gauge      hookhouse_catchup_up{target}                           1 if the last look worked, or if there was none, else 0
//	gauge      hookhouse_catchup_last_look_timestamp_seconds{target}  when the last look was completed, as Unix time
//
// # Labels are bounded
//
// Whoever can send an authentic request may be able to choose its type. So only the types
// given to [New] have a label of their own, and all others share "other". Without types
// given, the first 100 that are seen have one. Sources are the program's own, and still at
// most 100 of them have a label.
package prom
