// Package ledger accounts for deliveries outside the database, in a [Book].
//
// Its tests hold webhook/sqlinbox to exact accounting: twenty producers put
// deliveries, twenty workers run them, and an account outside the database notes
// every answer and every run. At the end the account, the plan and the database
// must agree to the unit.
//
// The workers run in the process of the producers, or in two of their own that
// report to the account over a loopback connection. Some deliveries share a key,
// some are bursts, some are sent twice, some callbacks fail at first, some for
// good; see the events in plan_test.go. On inboxes that break a promise, the audit
// must find it.
//
//	go test ./ledger -v -deliveries 100000
package ledger
