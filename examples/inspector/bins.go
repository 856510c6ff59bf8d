package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

var (
	errBinExists = errors.New("name: there is a bin with this name")
	errBinEnded  = errors.New("expires: the bin has expired or was deleted; say when a new one expires")
	// errNotStored wraps what the database says.
	errNotStored = errors.New("the bin cannot be stored now; try again later")
	errManyBins  = errors.New("there are as many bins as allowed; delete one, or raise -max-bins")
)

// An activeBin is a bin with what it is doing. It is replaced when the bin is set.
type activeBin struct {
	bin
	calls    *rateLimit
	forwards *slots // forwards in progress
	answers  *slots // delayed answers in progress
	memory   *bodyBudget
}

// bins are all bins, in memory and, if there is one, in a table.
type bins struct {
	table    *binTable
	captures *captures
	most     int
	rate     int

	changing sync.Mutex // held while a bin is changed in the table and in memory

	mu     sync.RWMutex
	byName map[string]*activeBin
}

// loadBins reads the bins of a table, which is nil if there is none.
func loadBins(ctx context.Context, table *binTable, c *captures, s *settings) (*bins, error) {
	b := &bins{table: table, captures: c, most: s.maxBins, rate: s.rate, byName: make(map[string]*activeBin)}
	if table == nil {
		return b, nil
	}
	list, err := table.all(ctx)
	for _, one := range list {
		b.set(one)
	}
	return b, err
}

// get returns a bin that has not expired.
func (b *bins) get(name string) (*activeBin, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	one, ok := b.byName[name]
	return one, ok && time.Now().Before(one.Expires)
}

// list returns the bins that have not expired, by name.
func (b *bins) list() (list []bin) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, name := range slices.Sorted(maps.Keys(b.byName)) {
		if one := b.byName[name]; time.Now().Before(one.Expires) {
			list = append(list, one.bin)
		}
	}
	return list
}

// save makes a bin, or changes it if it is not to be a new one. If its Expires is zero, it
// expires as before. It can be used when save has returned nil, and is stored then.
func (b *bins) save(ctx context.Context, one bin, isNew bool) error {
	b.changing.Lock()
	defer b.changing.Unlock()
	before, exists := b.get(one.Name)
	if exists && one.Expires.IsZero() {
		one.Expires = before.Expires
	}
	switch {
	case exists && isNew:
		return errBinExists
	case one.Expires.IsZero():
		return errBinEnded
	case !exists && len(b.list()) >= b.most:
		return errManyBins
	case !exists:
		// What an expired bin of this name has left is not shown as the captures of this one.
		if err := b.captures.deleteBin(ctx, one.Name); err != nil {
			return fmt.Errorf("%w: %w", errNotStored, err)
		}
	}
	if b.table != nil {
		if err := b.table.put(ctx, one); err != nil {
			return fmt.Errorf("%w: %w", errNotStored, err)
		}
	}
	b.set(one)
	return nil
}

// open returns a bin, which it makes if there is none.
func (b *bins) open(ctx context.Context, name string, life time.Duration) (*activeBin, error) {
	err := b.save(ctx, newBin(name, time.Now().Add(life)), true)
	if err != nil && !errors.Is(err, errBinExists) {
		return nil, err
	}
	if one, ok := b.get(name); ok {
		return one, nil
	}
	return nil, errors.New("the bin was deleted at once")
}

func (b *bins) set(one bin) {
	b.mu.Lock()
	defer b.mu.Unlock()
	active := &activeBin{bin: one, calls: newRateLimit(b.rate), forwards: newSlots(binForwards), answers: newSlots(binDelays), memory: &bodyBudget{most: binMemory}}
	if before, ok := b.byName[one.Name]; ok {
		active = &activeBin{one, before.calls, before.forwards, before.answers, before.memory}
	}
	b.byName[one.Name] = active
}

// clean removes the bins that have expired, and the captures of bins that are gone.
func (b *bins) clean(ctx context.Context) error {
	b.mu.RLock()
	names := slices.Collect(maps.Keys(b.byName))
	b.mu.RUnlock()
	for _, name := range append(names, b.captures.bins()...) {
		if err := b.end(ctx, name, false); err != nil {
			return err
		}
	}
	return nil
}

// end removes a bin and its captures. If it is not always to do so, it does nothing for one
// that has not expired. Meanwhile no bin can be made anew, so that none loses its captures.
func (b *bins) end(ctx context.Context, name string, always bool) error {
	b.changing.Lock()
	defer b.changing.Unlock()
	if _, ok := b.get(name); ok && !always {
		return nil
	}
	b.mu.RLock()
	_, known := b.byName[name]
	b.mu.RUnlock()
	if known && b.table != nil {
		if err := b.table.delete(ctx, name); err != nil {
			return err
		}
	}
	b.mu.Lock()
	delete(b.byName, name)
	b.mu.Unlock()
	return b.captures.deleteBin(ctx, name)
}

// A binTable stores bins in the database of the inbox.
type binTable struct{ db *store }

func (t *binTable) create(ctx context.Context) error {
	return t.write(ctx, `CREATE TABLE IF NOT EXISTS inspector_bins (name TEXT PRIMARY KEY, settings TEXT NOT NULL)`)
}

func (t *binTable) put(ctx context.Context, b bin) error {
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return t.write(ctx, `INSERT INTO inspector_bins (name, settings) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET settings = excluded.settings`, b.Name, string(text))
}

func (t *binTable) delete(ctx context.Context, name string) error {
	return t.write(ctx, `DELETE FROM inspector_bins WHERE name = $1`, name)
}

func (t *binTable) write(ctx context.Context, query string, args ...any) error {
	return t.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

// all returns the bins of the table. One that cannot be read is an error: without it, its
// calls would be answered 404.
func (t *binTable) all(ctx context.Context) (list []bin, err error) {
	rows, err := t.db.db.QueryContext(ctx, `SELECT name, settings FROM inspector_bins ORDER BY name`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var b bin
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, err
		}
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.DisallowUnknownFields() // of a later version
		if err := decoder.Decode(&b); err != nil {
			return nil, fmt.Errorf("the settings of the bin %q: %w", name, err)
		}
		if b.Name != name {
			return nil, fmt.Errorf("the settings of the bin %q are those of %q", name, b.Name)
		}
		if err := b.validate(); err != nil {
			return nil, fmt.Errorf("the settings of the bin %q: %w", name, err)
		}
		list = append(list, b)
	}
	return list, rows.Err()
}
