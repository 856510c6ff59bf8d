// Package ledger holds webhook/sqlinbox to exact accounting: twenty producers
// put deliveries, twenty workers run them, and a ledger outside of the database
// writes down every answer and every run. At the end both must agree to the
// unit.
//
// The workers run in the process of the producers, or in two of their own that
// report to the ledger over a loopback connection. Some deliveries share a key,
// some are bursts, some are sent twice, some callbacks fail at first, some for
// good; see the events in plan_test.go. Last, the ledger itself is tested: on
// inboxes that break a promise it must say so.
//
//	go test ./ledger -v -deliveries 100000
package ledger
