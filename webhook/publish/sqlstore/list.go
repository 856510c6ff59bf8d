package sqlstore

import (
	"context"
	"database/sql"
	"iter"
	"strings"

	"github.com/hookhouse/hookhouse/internal/statement"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// listPage is how many rows are read at a time.
const listPage = 100

// pages yields the values of page after page, up to limit of them if that is positive. Next
// returns the next page, of up to n values; one that has fewer is the last.
func pages[T any](limit int, next func(n int) ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for left := limit; ; {
			n := listPage
			if limit > 0 {
				n = min(n, left)
			}
			page, err := next(n)
			for _, v := range page {
				if !yield(v, nil) {
					return
				}
			}
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			if left -= len(page); len(page) < n || limit > 0 && left == 0 {
				return
			}
		}
	}
}

// endpoints returns the first up to n endpoints that match f, with their last attempts. If
// one cannot be read it returns those before it, and the error.
func (s *Store) endpoints(ctx context.Context, f publish.Filter, n int) (page []*publish.Endpoint, err error) {
	condition, a := s.where(f)
	rows, err := s.page(ctx, condition, a, n)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		e, failed := s.endpoint(r)
		if failed != nil {
			err = failed
			break
		}
		page = append(page, e)
	}
	if failed := s.addLast(ctx, s.inbox.DB(), page...); failed != nil {
		return nil, failed
	}
	return page, err
}

// where returns the filter as a condition.
func (s *Store) where(f publish.Filter) (string, args) {
	terms, a := []string{"seq > @after"}, args{"after": f.After}
	if len(f.Owners) > 0 {
		terms, a["owners"] = append(terms, s.dialect.isIn("owner", "owners")), list(f.Owners)
	}
	if f.Name != "" {
		terms, a["name_key"] = append(terms, "name_key <> '' AND "+isEqual("name_key", f.Name)), publish.FoldName(f.Name)
	}
	if len(f.States) > 0 {
		terms, a["states"] = append(terms, s.dialect.isIn("state", "states")), list(f.States)
	}
	if f.Failing {
		terms = append(terms, "failing_since IS NOT NULL")
	}
	return strings.Join(terms, " AND "), a
}

// isEqual is the condition that a column has the value, which is the argument of that name.
func isEqual(column, value string) string {
	if !isText(value) {
		return "1 = 0" // no row has it, and a database may refuse to look
	}
	return column + " = @" + column
}

// addLast sets the last attempts of endpoints.
func (s *Store) addLast(ctx context.Context, on session, endpoints ...*publish.Endpoint) error {
	if len(endpoints) == 0 {
		return nil
	}
	at := make(map[string]*publish.Endpoint, len(endpoints))
	ids := make([]string, len(endpoints))
	for i, e := range endpoints {
		ids[i], at[e.ID] = e.ID, e
	}
	return statement.Retry(ctx, statement.IsConflict, func() error {
		return s.query(ctx, on, "last_attempts", args{"ids": list(ids)}, func(row *sql.Rows) error {
			a, err := scanAttempt(row)
			if e := at[a.Endpoint]; e != nil {
				e.Last = a
			}
			return err
		})
	})
}

// Attempts lists attempts; see [publish.Store].
func (s *Store) Attempts(ctx context.Context, f publish.AttemptFilter) iter.Seq2[publish.Attempt, error] {
	return pages(f.Limit, func(n int) ([]publish.Attempt, error) {
		page, err := s.attempts(ctx, f, n)
		if len(page) > 0 {
			f.Before = page[len(page)-1].Seq
		}
		return page, err
	})
}

// attempts returns the newest up to n attempts that match f.
func (s *Store) attempts(ctx context.Context, f publish.AttemptFilter, n int) (page []publish.Attempt, err error) {
	condition, a := s.whereAttempts(f)
	a["page"] = n
	text := "SELECT " + attemptColumns + " FROM hookhouse_endpoint_attempts" + condition + " ORDER BY seq DESC LIMIT @page + 0"
	err = s.read(ctx, "attempts", statement.Compile(text, s.dialect.syntax), a, func() { page = nil }, func(row *sql.Rows) error {
		attempt, err := scanAttempt(row)
		page = append(page, attempt)
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// whereAttempts returns the filter as a condition.
func (s *Store) whereAttempts(f publish.AttemptFilter) (string, args) {
	var terms []string
	a := make(args)
	for _, t := range []struct{ column, value string }{{"endpoint", f.Endpoint}, {"event", f.Event}, {"uid", f.UID}} {
		if t.value != "" {
			terms, a[t.column] = append(terms, isEqual(t.column, t.value)), t.value
		}
	}
	if len(f.Results) > 0 {
		terms, a["results"] = append(terms, s.dialect.isIn("result", "results")), list(f.Results)
	}
	if !f.From.IsZero() {
		terms, a["since"] = append(terms, "began_at >= @since"), f.From.UnixMicro()
	}
	if !f.To.IsZero() {
		terms, a["until"] = append(terms, "began_at < @until"), f.To.UnixMicro()
	}
	if f.Before > 0 {
		terms, a["before"] = append(terms, "seq < @before"), f.Before
	}
	if len(terms) == 0 {
		return "", a
	}
	return " WHERE " + strings.Join(terms, " AND "), a
}
