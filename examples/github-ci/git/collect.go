package git

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// maxPacks is how many packs a repository may have before Collect joins them. Each fetch
// makes one.
const maxPacks = 20

// garbage is a file in a repository from which a ref was dropped or replaced, so that it
// may have objects that are no longer needed.
const garbage = "garbage"

// Drop lets Collect delete what only this branch or tag needs. Builds of it that run are
// not affected.
func (s *Store) Drop(ctx context.Context, remote, ref string) error {
	for _, format := range []string{strings.Repeat("0", 40), strings.Repeat("0", 64)} {
		path := s.pathOf(remote, format)
		if _, err := os.Stat(path); err != nil {
			continue
		}
		b, err := s.lock(ctx, path, io.Discard)
		if err != nil {
			return err
		}
		err = b.removeLeftovers()
		if err == nil {
			err = b.drop(ctx, refOf(ref))
		}
		b.unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bare) drop(ctx context.Context, name string) error {
	if err := b.git(ctx, nil, "--git-dir="+b.path, "update-ref", "-d", name); err != nil {
		return fmt.Errorf("git update-ref: %w", err)
	}
	return b.setGarbage()
}

func (b *bare) setGarbage() error {
	return os.WriteFile(filepath.Join(b.path, garbage), nil, 0o600)
}

// errNoRoom means that the reserve would not be left.
var errNoRoom = errors.New("no room on the disk to collect garbage")

// Collect removes repositories that no checkout has used since before, drops branches
// whose last fetched commit is older than that, and deletes the objects that nothing needs.
// Git writes what remains anew before it deletes: if that might not leave the reserve, the
// repository is removed, and logged. What Collect removes too much is fetched again. Run it
// from time to time.
func (s *Store) Collect(ctx context.Context, before time.Time) error {
	entries, err := os.ReadDir(s.folder)
	for _, collect := range []func(context.Context, *bare, time.Time) error{removeUnused, collect} { // at first what needs no room
		for _, e := range entries {
			err = errors.Join(err, s.locked(ctx, filepath.Join(s.folder, e.Name()), before, collect))
		}
	}
	return err
}

// locked calls f with the repository at a path, if that exists.
func (s *Store) locked(ctx context.Context, path string, before time.Time, f func(context.Context, *bare, time.Time) error) error {
	var log bytes.Buffer
	b, err := s.lock(ctx, path, io.Discard)
	if err != nil {
		return err
	}
	defer b.unlock()
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	b.log = &log
	ctx, cancel := context.WithTimeoutCause(ctx, CollectLimit, fmt.Errorf("git took longer than %s", CollectLimit))
	defer cancel()
	if err := f(ctx, b, before); err != nil {
		return fmt.Errorf("%s: %w: %s", path, err, log.Bytes())
	}
	return nil
}

func removeUnused(_ context.Context, b *bare, before time.Time) error {
	if info, err := os.Stat(b.path); err == nil && !info.ModTime().Before(before) {
		return nil
	}
	return os.RemoveAll(b.path)
}

func collect(ctx context.Context, b *bare, before time.Time) error {
	info, err := os.Stat(b.path)
	if err != nil {
		return err
	}
	if err := b.removeLeftovers(); err != nil {
		return err
	}
	if err := b.dropOld(ctx, before); err != nil {
		return err
	}
	packs, err := filepath.Glob(filepath.Join(b.path, "objects", "pack", "*.pack"))
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(b.path, garbage)); err != nil && len(packs) <= maxPacks {
		return nil
	}
	if err := b.gc(ctx); errors.Is(err, errNoRoom) {
		slog.Warn("repository removed: the disk has no room to collect its garbage; the next build fetches it again", "path", b.path)
		return os.RemoveAll(b.path)
	} else if err != nil {
		return errors.Join(fmt.Errorf("git gc: %w", err), b.removeLeftovers())
	}
	if err := os.Chtimes(b.path, info.ModTime(), info.ModTime()); err != nil { // gc changes it
		return err
	}
	return os.RemoveAll(filepath.Join(b.path, garbage))
}

// gc deletes the objects that nothing needs. The error is errNoRoom if that might not leave
// the reserve, or takes half of it.
func (b *bare) gc(ctx context.Context) error {
	size, err := b.size()
	if err != nil {
		return err
	}
	if ok, err := b.Reserve.HasRoom(size); err != nil || !ok {
		return cmp.Or(err, errNoRoom)
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	go b.Reserve.Watch(ctx, func() { end(errNoRoom) })
	err = b.git(ctx, nil, "--git-dir="+b.path, "gc", "--quiet", "--force", "--prune=now")
	if err != nil && errors.Is(context.Cause(ctx), errNoRoom) {
		return errNoRoom
	}
	return err
}

// size returns the bytes of all objects, which is the most that gc writes.
func (b *bare) size() (total int64, err error) {
	err = filepath.WalkDir(filepath.Join(b.path, "objects"), func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}

// dropOld drops the refs whose commit was made before a time, or will be made.
func (b *bare) dropOld(ctx context.Context, before time.Time) error {
	var refs bytes.Buffer
	if err := b.git(ctx, &refs, "--git-dir="+b.path, "for-each-ref", "--format=%(creatordate:unix) %(refname)", "refs/builds/"); err != nil {
		return fmt.Errorf("git for-each-ref: %w", err)
	}
	for line := range strings.Lines(refs.String()) {
		text, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		seconds, err := strconv.ParseInt(text, 10, 64)
		if made := time.Unix(seconds, 0); err == nil && !made.Before(before) && time.Until(made) < 24*time.Hour {
			continue
		}
		if err := b.drop(ctx, name); err != nil {
			return err
		}
	}
	return nil
}
