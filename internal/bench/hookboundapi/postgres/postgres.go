// Package postgres declares what internal/bench/lines/publishing uses of the package of that
// name of hookbound 0.2.0.
package postgres

import (
	"context"
	"database/sql"

	"github.com/kzelealem/hookbound"
)

// A Store has messages and deliveries.
type Store struct{}

// A Publication names what was stored.
type Publication struct {
	MessageID  string
	DeliveryID string
}

// EnqueueTx stores a message for one URL in a transaction of the caller.
func (*Store) EnqueueTx(context.Context, *sql.Tx, hookbound.SendRequest) (Publication, error) {
	panic("declared only")
}

// A Runtime sends what is stored. It has one Sender, and that one Signer.
type Runtime struct{}

// Run works until ctx ends.
func (*Runtime) Run(context.Context) error { panic("declared only") }
