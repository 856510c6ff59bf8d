package stored

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/target"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// States stores the State of each target. It is safe for concurrent use.
type States struct{ inbox *sqlinbox.Inbox }

// NewStates creates the table in the database of an inbox if it does not exist.
func NewStates(ctx context.Context, inbox *sqlinbox.Inbox) (*States, error) {
	_, err := inbox.DB().ExecContext(ctx, `CREATE TABLE IF NOT EXISTS dockerhub_deploy_targets (target TEXT PRIMARY KEY, state TEXT NOT NULL)`)
	return &States{inbox}, err
}

// Read returns the state of a target, or the zero value if there is none.
func (s *States) Read(ctx context.Context, target string) (State, error) {
	return scan(s.inbox.DB().QueryRowContext(ctx, `SELECT state FROM dockerhub_deploy_targets WHERE target = $1`, target))
}

// Update changes the state of a target in a transaction of its own.
func (s *States) Update(ctx context.Context, target string, change func(*State)) error {
	return s.inbox.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return s.UpdateTx(ctx, tx, target, change)
	})
}

// UpdateTx changes the state of a target. It locks the target's row until tx ends.
func (s *States) UpdateTx(ctx context.Context, tx *sql.Tx, target string, change func(*State)) error {
	state, err := scan(tx.QueryRowContext(ctx, `INSERT INTO dockerhub_deploy_targets (target, state) VALUES ($1, '{}')
		ON CONFLICT (target) DO UPDATE SET target = excluded.target RETURNING state`, target))
	if err != nil {
		return err
	}
	change(&state)
	text, err := json.Marshal(state)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE dockerhub_deploy_targets SET state = $1 WHERE target = $2`, string(text), target)
	return err
}

// Previous implements target.Memory.
func (s *States) Previous(ctx context.Context, service string) (target.Previous, error) {
	state, err := s.Read(ctx, "service:"+service)
	return state.Previous, err
}

// SetPrevious implements target.Memory.
func (s *States) SetPrevious(ctx context.Context, service string, p target.Previous) error {
	return s.Update(ctx, "service:"+service, func(s *State) { s.Previous = p })
}

func scan(row *sql.Row) (s State, err error) {
	var text string
	if err := row.Scan(&text); errors.Is(err, sql.ErrNoRows) {
		return s, nil
	} else if err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(text), &s)
}
