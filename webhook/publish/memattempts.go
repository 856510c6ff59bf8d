package publish

import (
	"context"
	"iter"
	"slices"
	"time"
)

// defaultSweep is how many attempts a Sweep without a limit deletes.
const defaultSweep = 1000

// Record stores an attempt; see [Store].
func (m *MemStore) Record(ctx context.Context, a Attempt) (began bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if err := a.Validate(); err != nil {
		return false, err
	}
	a = a.Stored()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seq++
	a.Seq = m.seq
	if m.last == nil {
		m.last = make(map[string]Attempt)
	}
	if own := m.endpoints[a.Endpoint]; own != nil {
		began = m.fail(own, a)
	}
	m.attempts, m.last[a.Endpoint] = append(m.attempts, a), a
	m.makeRoom()
	return began, nil
}

// makeRoom deletes some more attempts than it must, so that not each Record has to.
func (m *MemStore) makeRoom() {
	most := orDefault(m.MaxAttempts, defaultMaxAttempts)
	if more := len(m.attempts) - most; more > 0 {
		m.sweep(func(Attempt) bool { return true }, more+most/8)
	}
}

// fail begins or ends the failing of an endpoint, unless the attempt has done so before.
func (m *MemStore) fail(own *memEndpoint, a Attempt) (began bool) {
	failing := !own.FailingSince.IsZero()
	switch {
	case a.Result == Failed && failing:
		return own.FailingSince.Equal(a.At) && m.hasBegun(a)
	case (a.Result == Failed || a.Result == Delivered && failing) && slices.ContainsFunc(m.attempts, a.same):
		return false
	case a.Result == Failed:
		e := own.Clone()
		e.FailingSince = a.At
		m.remove(own)
		m.insert(e)
		return true
	case a.Result == Delivered && failing:
		e := own.Clone()
		e.FailingSince = time.Time{}
		m.remove(own)
		m.insert(e)
	}
	return false
}

// hasBegun reports whether a is recorded, before any other failure of its endpoint that began
// at the same time.
func (m *MemStore) hasBegun(a Attempt) bool {
	first := slices.IndexFunc(m.attempts, func(b Attempt) bool {
		return b.Endpoint == a.Endpoint && b.Result == Failed && b.At.Equal(a.At)
	})
	return first >= 0 && m.attempts[first].same(a)
}

// Attempts lists attempts; see [Store].
func (m *MemStore) Attempts(ctx context.Context, f AttemptFilter) iter.Seq2[Attempt, error] {
	return func(yield func(Attempt, error) bool) {
		for _, a := range m.matchingAttempts(f) {
			if err := ctx.Err(); err != nil {
				yield(Attempt{}, err)
				return
			}
			if !yield(a, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(Attempt{}, err)
		}
	}
}

func (m *MemStore) matchingAttempts(f AttemptFilter) []Attempt {
	f.From, f.To = stored(f.From), stored(f.To)
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Attempt
	for _, a := range slices.Backward(m.attempts) {
		if f.matches(a) {
			list = append(list, a)
		}
		if f.Limit > 0 && len(list) == f.Limit {
			break
		}
	}
	return list
}

func (f *AttemptFilter) matches(a Attempt) bool {
	return (f.Endpoint == "" || f.Endpoint == a.Endpoint) && (f.Event == "" || f.Event == a.Event) && (f.UID == "" || f.UID == a.UID) &&
		(len(f.Results) == 0 || slices.Contains(f.Results, a.Result)) &&
		(f.From.IsZero() || !a.At.Before(f.From)) && (f.To.IsZero() || a.At.Before(f.To)) &&
		(f.Before == 0 || a.Seq < f.Before)
}

// Sweep deletes old attempts; see [Store].
func (m *MemStore) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	before = stored(before)
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sweep(func(a Attempt) bool { return a.At.Before(before) }, orDefault(limit, defaultSweep)), nil
}

// sweep deletes up to limit of the attempts that are old, and returns their number.
func (m *MemStore) sweep(old func(Attempt) bool, limit int) (swept int) {
	oldest := slices.Clone(m.attempts)
	slices.SortStableFunc(oldest, func(a, b Attempt) int { return a.At.Compare(b.At) })
	gone := make(map[int64]bool)
	for _, a := range oldest {
		isLast := m.last[a.Endpoint].Seq == a.Seq
		if len(gone) == limit || !old(a) {
			break
		}
		if isLast && m.endpoints[a.Endpoint] != nil {
			continue
		}
		if gone[a.Seq] = true; isLast {
			delete(m.last, a.Endpoint)
		}
	}
	m.attempts = slices.DeleteFunc(m.attempts, func(a Attempt) bool { return gone[a.Seq] })
	return len(gone)
}
