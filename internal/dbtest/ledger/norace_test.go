//go:build !race

package ledger

// usually is how many deliveries the accounting is held over.
const usually = 4_000
