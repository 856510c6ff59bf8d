//go:build !race

package ledger_test

const defaultDeliveries = 4_000
