package sqlinbox

import "context"

// Check verifies the version of the schema and the settings that durability depends
// on, on the connection that writes. Its errors are [ErrNotMigrated],
// [ErrNewerSchema], [ErrNotDurable], [ErrConnections], or the database's own. The
// first use of the Inbox verifies the same; call Check when the program starts to
// fail early. Check also repairs ordering keys that are stuck; see
// [Observer.Repaired].
func (in *Inbox) Check(ctx context.Context) error {
	if err := in.engine.check(ctx); err != nil {
		return err
	}
	return in.repair(ctx, checkPages)
}
