package sqlinbox

import (
	"context"
	"fmt"

	"github.com/hookhouse/hookhouse/internal/statement"
)

// replicate makes the commit of a transaction wait for the standby, whether it writes or
// not. The answer "duplicate" is an acknowledgement too, and the delivery that was found may
// be committed here and not replicated: see "Several machines" in doc.go. It does nothing
// unless RequireStandby is set.
func (e *postgresEngine) replicate(ctx context.Context, s session) error {
	if !e.requiresStandby() {
		return nil
	}
	_, err := e.exec(ctx, s, "replicate", args{})
	return e.standbyError(err)
}

// standbyError explains the error of a statement that found no synchronous standby. The next
// write checks all settings again.
func (e *postgresEngine) standbyError(err error) error {
	if statement.State(err) != "55P02" { // a setting cannot be changed now
		return err
	}
	e.verified.Store(false)
	return fmt.Errorf("%w: RequireStandby is set, and synchronous_standby_names has become empty", ErrNotDurable)
}

// replicated refuses the success of a commit whose context has ended. Some drivers cancel the
// statement then, and wait for what the server says to that: if the commit was waiting for the
// standby, the server says that all is well.
func (e *postgresEngine) replicated(ctx context.Context) error {
	if !e.requiresStandby() || ctx.Err() == nil {
		return nil
	}
	return fmt.Errorf("sqlinbox: the standby may not have the commit: %w", ctx.Err())
}
