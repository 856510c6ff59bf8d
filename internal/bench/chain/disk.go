package chain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/internal/bench/sender"
	"github.com/hookhouse/hookhouse/webhook"
)

// A diskRow is where deliveries are stored, and the bytes on disk for each of them.
type diskRow struct {
	backend env.Backend
	body    int // bytes
	bytes   []float64
}

// measureDisk stores deliveries in empty stores, with the body of a push and with a small one,
// and handles none.
func measureDisk(ctx context.Context, e *env.Env, count, deliveries int) ([]*diskRow, error) {
	var rows []*diskRow
	var bodies [][]byte
	for _, body := range [][]byte{[]byte(sender.PushBody(0)), []byte(`{"ref":"refs/heads/main"}`)} {
		for _, b := range []env.Backend{env.SQLite, env.PostgreSQL, env.RabbitMQ} {
			if e.Has(b) {
				rows, bodies = append(rows, &diskRow{backend: b, body: len(body)}), append(bodies, body)
			}
		}
	}
	return rows, env.Rounds(count, len(rows), len(rows), func(i int) error {
		bytes, err := rows[i].measure(ctx, e, bodies[i], deliveries)
		if err != nil {
			return fmt.Errorf("%s: %w", rows[i].backend, err)
		}
		rows[i].bytes = append(rows[i].bytes, float64(bytes)/float64(deliveries))
		return nil
	})
}

// measure returns by how many bytes the store of one run grows.
func (r *diskRow) measure(ctx context.Context, e *env.Env, body []byte, n int) (grown int64, err error) {
	at, remove, err := e.Make(ctx, r.backend)
	if err != nil {
		return 0, err
	}
	s := &stores{env: e, closers: []func() error{remove}}
	defer func() { err = errors.Join(err, s.close()) }()
	to, size, err := r.open(ctx, s, at)
	if err != nil {
		return 0, err
	}
	before, err := size()
	if err != nil {
		return 0, err
	}
	header, _ := sender.Header(sender.GitHub, "")
	err = pace.Together(senders, n, func(i int) error {
		d := pace.Push(i, fmt.Sprint("key", i), body)
		d.Header = header
		return to.Handle(ctx, d)
	})
	if err != nil {
		return 0, err
	}
	after, err := size()
	return after - before, err
}

// open returns a store and how many bytes it has on disk.
func (r *diskRow) open(ctx context.Context, s *stores, at string) (to webhook.Handler, size func() (int64, error), err error) {
	if r.backend == env.RabbitMQ {
		folder := s.env.BrokerFolder()
		return s.publisher(env.QueueOf(at)), func() (int64, error) { return folderSize(folder) }, nil
	}
	store, err := r.backend.Open(ctx, at)
	if err != nil {
		return nil, nil, err
	}
	s.closers = append(s.closers, store.Close)
	return webhook.Store(store.Inbox), func() (n int64, err error) {
		if r.backend == env.SQLite {
			if _, err := store.DB.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
				return 0, err
			}
			return folderSize(at)
		}
		// With the indexes and the large values, and without the write-ahead log.
		err = store.DB.QueryRowContext(ctx, `SELECT sum(pg_total_relation_size(oid)) FROM pg_class
			WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace`).Scan(&n)
		return n, err
	}, nil
}

// folderSize returns the size of the files in a folder. Files may be deleted meanwhile.
func folderSize(folder string) (size int64, err error) {
	err = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			var info fs.FileInfo
			if info, err = entry.Info(); err == nil {
				size += info.Size()
			}
		}
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	})
	return size, err
}

func printDisk(w io.Writer, rows []*diskRow) {
	env.Head(w, "Disk of what is stored and not handled", "in", "body, bytes:", "bytes for each:", "spread:", "GB for a million:")
	for _, r := range rows {
		bytes := env.Median(r.bytes)
		fmt.Fprintf(w, "| %s | %d | %.0f | %.0f%% | %.1f |\n", r.backend, r.body, bytes, env.Spread(r.bytes), bytes*1e6/1e9)
	}
	fmt.Fprintln(w)
}
