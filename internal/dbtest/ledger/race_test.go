//go:build race

package ledger

// usually is how many deliveries the accounting is held over: the race detector
// makes each several times as dear.
const usually = 1_000
