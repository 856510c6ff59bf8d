//go:build race

package ledger_test

// Under the race detector each delivery takes several times as long.
const defaultDeliveries = 1_000
