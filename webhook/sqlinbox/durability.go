package sqlinbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/internal/statement"
)

// A setting is refused unless its value, which must be in one row, is allowed.
type setting struct {
	query   string
	allowed []string
	advice  string
	trusted bool // Inbox.TrustDurability replaces it
	standby bool // only Inbox.RequireStandby needs it
}

// allows reports whether a commit is safe with that value.
func (s setting) allows(value string) bool {
	return slices.Contains(s.allowed, strings.ToLower(value)) || slices.Contains(s.allowed, value)
}

// checkAll checks the settings and the version of the schema.
func (t *tables) checkAll(ctx context.Context, s session, h host) error {
	return errors.Join(t.checkSettings(ctx, s, h), t.checkVersion(ctx, s))
}

// checkSettings refuses the first setting that may lose a commit, unless h trusts it.
func (t *tables) checkSettings(ctx context.Context, s session, h host) error {
	if h.requiresStandby() && !slices.ContainsFunc(t.dialect.settings, func(set setting) bool { return set.standby }) {
		return fmt.Errorf("%w: RequireStandby is set, and %s has no standbys", ErrNotDurable, t.dialect)
	}
	var trusted []string
	for _, set := range t.dialect.settings {
		if set.standby && !h.requiresStandby() {
			continue
		}
		var value string
		err := statement.Each(ctx, s, set.query, nil, func(row *sql.Rows) error { return row.Scan(&value) })
		if err != nil {
			return fmt.Errorf("sqlinbox: %s: %w", t.dialect, t.explain(ctx, t.dialect.orOther(err)))
		}
		if set.allows(value) {
			continue
		}
		text := set.advice + ", it is " + value
		if !set.trusted || !h.trusts() {
			return fmt.Errorf("%w: %s%s", ErrNotDurable, text, t.dialect.advice)
		}
		trusted = append(trusted, text)
	}
	if len(trusted) > 0 {
		h.logTrust(trusted)
	}
	return nil
}

func (in *Inbox) requiresStandby() bool { return in.RequireStandby }

func (in *Inbox) trusts() bool { return in.TrustDurability != "" }

// logTrust logs once whose word replaces the settings that were refused.
func (in *Inbox) logTrust(settings []string) {
	in.trustLogged.Do(func() {
		in.logger().Warn("inbox trusts that commits survive a power loss, against the settings of the database",
			"trust", in.TrustDurability, "settings", settings)
	})
}
