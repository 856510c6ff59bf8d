package git

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hookhouse/hookhouse/examples/github-ci/jobs"
	"github.com/hookhouse/hookhouse/webhook"
)

// A Commit is what a build checks out.
type Commit struct {
	Remote string         // http or https URL, from the configuration
	Ref    string         // a branch or tag that CheckRef accepts
	SHA    string         // a commit, or an annotated tag
	Forced bool           // the branch no longer has what was fetched before
	Token  webhook.Secret // sent to the remote; if zero, the repository must be public
}

// CheckOut fetches the commit, even if the branch has moved on, and checks it out in the
// Area, which it gives to the user. It returns the id of the commit, which differs from
// c.SHA if that is an annotated tag. Git writes to log. The error wraps ErrGone if a retry
// cannot succeed.
func (s *Store) CheckOut(ctx context.Context, c Commit, area jobs.Area, user jobs.User, log io.Writer) (commit string, err error) {
	b, err := s.lock(ctx, s.pathOf(c.Remote, c.SHA), log)
	if err != nil {
		return "", err
	}
	limit := FetchLimit
	if !b.hasFetched() {
		limit = cmp.Or(s.FirstFetchLimit, limit)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("git took longer than %s", limit))
	defer cancel()
	objects := filepath.Join(area.Path, "objects")
	commit, err = b.borrow(ctx, c, objects)
	if err != nil { // at once: if a fetch has filled the disk, no build begins before there is space
		err = errors.Join(err, b.removeLeftovers())
	}
	b.unlock()
	if err != nil {
		return "", err
	}
	if err := b.git(ctx, nil, "init", "--quiet", "--template=", "--object-format="+objectFormat(commit), "--", area.Src); err != nil {
		return "", fmt.Errorf("git init: %w", err)
	}
	// The checkout shares the fetched objects and has its own settings and hooks.
	alternates := filepath.Join(area.Src, ".git", "objects", "info", "alternates")
	if err := os.MkdirAll(filepath.Dir(alternates), 0o700); err != nil {
		return "", err
	}
	if err := os.WriteFile(alternates, []byte(objects+"\n"), 0o600); err != nil {
		return "", err
	}
	if err := area.GiveTo(user); err != nil {
		return "", err
	}
	// From here on git runs as the build's user, because it processes the content of the
	// commit.
	out := call{user: user, dir: area.Src, home: area.Home, log: log}
	err = s.run(ctx, out, "checkout", "--quiet", "--force", "--no-recurse-submodules", "--detach", commit, "--")
	if err != nil {
		err = fmt.Errorf("git checkout: %w", err)
		return "", errors.Join(err, s.removeDamaged(ctx, c, log))
	}
	return commit, nil
}

// hasFetched reports whether a fetch into the repository has ended.
func (b *bare) hasFetched() bool {
	packs, err := filepath.Glob(filepath.Join(b.path, "objects", "pack", "*.idx"))
	return err == nil && len(packs) > 0
}

// borrow fetches the commit and links the objects to a new folder.
func (b *bare) borrow(ctx context.Context, c Commit, objects string) (commit string, err error) {
	if err := b.prepare(ctx, objectFormat(c.SHA)); err != nil {
		return "", err
	}
	if err := b.fetch(ctx, c); err != nil {
		return "", err
	}
	if commit, err = b.commitOf(ctx, c.SHA); err != nil {
		return "", err
	}
	if err := b.link(objects); err != nil {
		return "", fmt.Errorf("linking the fetched objects: %w", err)
	}
	switch {
	case strings.HasPrefix(c.Ref, "refs/tags/"): // is built once
		err = b.drop(ctx, refOf(c.Ref))
	case c.Forced:
		err = b.setGarbage()
	}
	return commit, err
}

// removeDamaged removes the repository of c if a pack of it is damaged, which a fetch does
// not notice. It returns an error then.
func (s *Store) removeDamaged(ctx context.Context, c Commit, log io.Writer) error {
	b, err := s.lock(ctx, s.pathOf(c.Remote, c.SHA), log)
	if err != nil {
		return err
	}
	defer b.unlock()
	packs, err := filepath.Glob(filepath.Join(b.path, "objects", "pack", "*.idx"))
	if err != nil || len(packs) == 0 {
		return err
	}
	err = b.git(ctx, nil, append([]string{"--git-dir=" + b.path, "verify-pack", "--"}, packs...)...)
	if _, damaged := jobs.ExitStatus(err); damaged && ctx.Err() == nil {
		return errors.Join(errDamaged, os.RemoveAll(b.path))
	}
	return nil
}

// CheckRemote returns an error unless git can read the remote of c.
func (s *Store) CheckRemote(ctx context.Context, c Commit, log io.Writer) error {
	b := &bare{Store: s, path: s.folder, log: log}
	return b.gitRemote(ctx, c, io.Discard, "ls-remote", "--quiet", "--", c.Remote, "HEAD")
}
