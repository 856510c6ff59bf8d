package webhook

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Coalesce delays a delivery until no other one of its burst has arrived for Quiet, so
// that of a burst only the newest runs. A burst is the deliveries of one Source, ordering
// key and type. The zero value is off.
//
//   - Each new delivery supersedes the older ones of its burst that no Worker has claimed,
//     also those that do not coalesce, and restarts Quiet.
//   - Max after the first delivery of the burst, the newest becomes due in any case.
//   - The newest takes its turn in its ordering key: after the older deliveries of other
//     types.
//   - A negative duration means zero.
type Coalesce struct {
	Quiet time.Duration // a microsecond or less waits for nothing
	Max   time.Duration // zero means no limit
}

// newestOnlyQuiet is the Quiet that supersedes and does not wait.
const newestOnlyQuiet = time.Microsecond

// NewestOnly returns the Coalesce of deliveries that make older ones needless, such as
// pushes to a branch that is deployed: a new delivery supersedes the older ones of its
// burst that no Worker has claimed, also one that waits for its retry, and it is due at
// once.
func NewestOnly() Coalesce { return Coalesce{Quiet: newestOnlyQuiet} }

// validate refuses what has no meaning.
func (c Coalesce) validate() error {
	switch {
	case c.Quiet < 0:
		return fmt.Errorf("the Quiet of %v is negative", c.Quiet)
	case c.Max < 0:
		return fmt.Errorf("the Max of %v is negative", c.Max)
	case c.Max > 0 && c.Quiet == 0:
		return fmt.Errorf("the Max of %v without Quiet has no effect", c.Max)
	}
	return nil
}

func (s Source) validateCoalesce() error {
	if err := s.Coalesce.validate(); err != nil {
		return fmt.Errorf("webhook: source %s: Coalesce: %w", s.Name, err)
	}
	for typ, c := range s.CoalesceTypes {
		if typ == "" {
			return fmt.Errorf("webhook: source %s: CoalesceTypes has an empty type", s.Name)
		}
		if clamp(typ) != typ {
			return fmt.Errorf("webhook: source %s: CoalesceTypes: the type %.64q is too long or not plain UTF-8", s.Name, typ)
		}
		if !isFullType(typ) {
			return fmt.Errorf("webhook: source %s: CoalesceTypes has the type %q; a type has the source's name as its prefix: want %q", s.Name, typ, s.Name+"."+strings.Trim(typ, "."))
		}
		if err := c.validate(); err != nil {
			return fmt.Errorf("webhook: source %s: CoalesceTypes[%q]: %w", s.Name, typ, err)
		}
	}
	return nil
}

// isFullType reports whether a type has a prefix and more than that.
func isFullType(typ string) bool {
	prefix, name, _ := strings.Cut(typ, ".")
	return prefix != "" && name != ""
}

// foreignTypes returns the types of CoalesceTypes with another prefix than the name of the
// Source, sorted. Its Describe may be one of a Source with that name.
func (s Source) foreignTypes() (foreign []string) {
	for typ := range s.CoalesceTypes {
		if !strings.HasPrefix(typ, s.Name+".") {
			foreign = append(foreign, typ)
		}
	}
	slices.Sort(foreign)
	return foreign
}

// coalesce returns the Coalesce of a delivery.
func (s Source) coalesce(typ, orderingKey string) Coalesce {
	if orderingKey == "" {
		return Coalesce{}
	}
	if c, ok := s.CoalesceTypes[typ]; ok {
		return c
	}
	return s.Coalesce
}
