package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// Create stores an endpoint; see [publish.Store].
func (s *Store) Create(ctx context.Context, e *publish.Endpoint) (*publish.Endpoint, error) {
	if err := e.Validate(); err != nil {
		return nil, err
	}
	own := e.Stored()
	a, err := s.columns(own)
	if err != nil {
		return nil, err
	}
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		own.Seq, own.Last = 0, publish.Attempt{}
		err := s.query(ctx, tx, "insert_endpoint", a, func(row *sql.Rows) error { return row.Scan(&own.Seq) })
		switch {
		case err != nil:
			return err
		case own.Seq == 0:
			return s.exists(ctx, tx, own)
		}
		if err := s.subscribe(ctx, tx, own); err != nil {
			return err
		}
		return s.addLast(ctx, tx, own)
	})
	if err != nil {
		return nil, err
	}
	return own, nil
}

// exists returns the error of an endpoint that was not inserted.
func (s *Store) exists(ctx context.Context, on session, e *publish.Endpoint) error {
	if err := s.nameIsFree(ctx, on, e); err != nil {
		return err
	}
	return fmt.Errorf("%w: its ID is %q", publish.ErrExists, e.ID)
}

// nameIsFree returns ErrExists if another endpoint has the name.
func (s *Store) nameIsFree(ctx context.Context, on session, e *publish.Endpoint) error {
	var other string
	a := args{"id": e.ID, "owner": e.Owner, "name_key": publish.FoldName(e.Name)}
	err := s.query(ctx, on, "named", a, func(row *sql.Rows) error { return row.Scan(&other) })
	if err == nil && other != "" {
		err = fmt.Errorf("%w: %q has the name %q", publish.ErrExists, other, e.Name)
	}
	return err
}

// subscribe writes the patterns of e unless it is disabled, so that Match reads none of
// those that are.
func (s *Store) subscribe(ctx context.Context, on session, e *publish.Endpoint) error {
	if e.State == publish.Disabled {
		return nil
	}
	_, err := s.exec(ctx, on, "subscribe", args{"owner": e.Owner, "seq": e.Seq, "patterns": list(e.Events)})
	return err
}

// Get returns an endpoint; see [publish.Store].
func (s *Store) Get(ctx context.Context, id string) (*publish.Endpoint, error) {
	e, _, err := s.get(ctx, id)
	return e, err
}

// get returns an endpoint and its revision.
func (s *Store) get(ctx context.Context, id string) (*publish.Endpoint, int64, error) {
	if !isText(id) {
		return nil, 0, notFound(id)
	}
	if err := s.ready(ctx); err != nil {
		return nil, 0, err
	}
	f, err := s.finder.get(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	if f.seq == 0 {
		return nil, 0, notFound(id)
	}
	e, err := s.endpoint(f.row)
	if err != nil {
		return nil, 0, err
	}
	e.Last = f.last
	return e, f.revision, nil
}

// A found endpoint is its row, which is zero if there is none, and its last attempt.
type found struct {
	row
	last publish.Attempt
}

// find reads endpoints by one statement, with their last attempts.
func (s *Store) find(ctx context.Context, ids []string) (all map[string]found, err error) {
	reset := func() { all = make(map[string]found, len(ids)) }
	err = s.read(ctx, "endpoints", s.dialect.queries.Get("endpoints"), args{"ids": list(ids)}, reset, func(rows *sql.Rows) error {
		var f found
		var last attemptScan
		err := rows.Scan(append(f.columns(), last.columns()...)...)
		f.last = last.attempt()
		all[f.id] = f
		return err
	})
	return all, err
}

func notFound(id string) error { return fmt.Errorf("%w: %.64q", publish.ErrNotFound, id) }

// errChanged: the endpoint is not the one that change got.
var errChanged = errors.New("sqlstore: the endpoint was changed in the meantime")

// Update changes an endpoint; see [publish.Store].
func (s *Store) Update(ctx context.Context, id string, change func(e *publish.Endpoint) error) (*publish.Endpoint, error) {
	for {
		before, revision, err := s.get(ctx, id)
		if err != nil {
			return nil, err
		}
		e := before.Clone()
		if err := change(e); err != nil {
			return nil, err
		}
		if err := e.ValidateChange(before); err != nil {
			return nil, err
		}
		own := e.Stored()
		own.Seq, own.Last = before.Seq, before.Last
		if err = s.replace(ctx, before, own, revision); err == nil {
			return own, nil
		}
		if !errors.Is(err, errChanged) {
			return nil, err
		}
	}
}

// replace stores e instead of an endpoint, if that has the revision.
func (s *Store) replace(ctx context.Context, before, e *publish.Endpoint, revision int64) error {
	a, err := s.columns(e)
	if err != nil {
		return err
	}
	a["seq"], a["revision"] = e.Seq, revision
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := s.nameIsFree(ctx, tx, e); err != nil {
			return s.unlessChanged(ctx, tx, e.ID, a, err)
		}
		switch n, err := s.exec(ctx, tx, "update_endpoint", a); {
		case err != nil:
			return err
		case n == 0:
			return errChanged
		}
		if e.State == before.State && slices.Equal(e.Events, before.Events) {
			return nil
		}
		if _, err := s.exec(ctx, tx, "unsubscribe", args{"seq": e.Seq}); err != nil {
			return err
		}
		return s.subscribe(ctx, tx, e)
	})
}

// unlessChanged returns the error of a name that is taken, or errChanged if the endpoint is not
// the one that change got: that may be why another has the name.
func (s *Store) unlessChanged(ctx context.Context, on session, id string, a args, taken error) error {
	var r row
	if err := s.query(ctx, on, "endpoint", args{"id": id}, r.scan); err != nil {
		return err
	}
	if r.seq != a["seq"] || r.revision != a["revision"] {
		return errChanged
	}
	return taken
}

// Delete deletes an endpoint; see [publish.Store].
func (s *Store) Delete(ctx context.Context, id string) error {
	if !isText(id) {
		return notFound(id)
	}
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var seq int64
		err := s.query(ctx, tx, "delete_endpoint", args{"id": id}, func(row *sql.Rows) error { return row.Scan(&seq) })
		switch {
		case err != nil:
			return err
		case seq == 0:
			return notFound(id)
		}
		_, err = s.exec(ctx, tx, "unsubscribe", args{"seq": seq})
		return err
	})
}

// All lists endpoints; see [publish.Store].
func (s *Store) All(ctx context.Context, f publish.Filter) iter.Seq2[*publish.Endpoint, error] {
	return pages(f.Limit, func(n int) ([]*publish.Endpoint, error) {
		page, err := s.endpoints(ctx, f, n)
		if len(page) > 0 {
			f.After = page[len(page)-1].Seq
		}
		return page, err
	})
}
