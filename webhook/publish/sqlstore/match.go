package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// Match returns the endpoints of a type; see [publish.Store].
func (s *Store) Match(ctx context.Context, owner, typ string) ([]publish.Target, error) {
	if err := publish.ValidateType(typ); err != nil {
		return nil, err
	}
	if !isText(owner) {
		return nil, nil
	}
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	targets, err := s.matcher.get(ctx, kind{owner, typ})
	return slices.Clone(targets), err
}

// A kind of event is what endpoints are matched with.
type kind struct{ owner, typ string }

// match returns the endpoints of several kinds of events by one statement. As a rule there is
// one kind, for which a simpler one takes half of the time.
func (s *Store) match(ctx context.Context, kinds []kind) (targets map[kind][]publish.Target, err error) {
	if len(kinds) == 1 {
		return s.matchOne(ctx, kinds[0])
	}
	type patterns struct {
		N        int      `json:"n"`
		Owner    string   `json:"owner"`
		Patterns []string `json:"patterns"`
	}
	all := make([]patterns, len(kinds))
	for i, k := range kinds {
		all[i] = patterns{i, k.owner, publish.Patterns(k.typ)}
	}
	text, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	reset := func() { targets = make(map[kind][]publish.Target, len(kinds)) }
	err = s.read(ctx, "match", s.dialect.queries.Get("match_kinds"), args{"kinds": string(text)}, reset, func(row *sql.Rows) error {
		var n int
		var t publish.Target
		if err := row.Scan(&n, &t.ID, &t.Lanes); err != nil {
			return err
		}
		targets[kinds[n]] = append(targets[kinds[n]], t)
		return nil
	})
	return targets, err
}

func (s *Store) matchOne(ctx context.Context, k kind) (map[kind][]publish.Target, error) {
	var targets []publish.Target
	a := args{"owner": k.owner, "patterns": list(publish.Patterns(k.typ))}
	err := s.read(ctx, "match", s.dialect.queries.Get("match"), a, func() { targets = nil }, func(row *sql.Rows) error {
		var t publish.Target
		err := row.Scan(&t.ID, &t.Lanes)
		targets = append(targets, t)
		return err
	})
	return map[kind][]publish.Target{k: targets}, err
}
