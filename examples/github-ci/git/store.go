package git

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/examples/github-ci/jobs"
)

const (
	// FetchLimit bounds the time of git for one checkout, without the time that it waits for
	// another checkout of the same repository. Store.FirstFetchLimit is that of the first.
	FetchLimit = 10 * time.Minute
	// CollectLimit bounds the time to collect the garbage of one repository. Checkouts of
	// the repository wait meanwhile.
	CollectLimit = 20 * time.Minute
)

// ErrGone means that the remote no longer has the commit, so a retry cannot succeed.
var ErrGone = errors.New("commit is no longer available")

// errDamaged means that the next fetch begins anew.
var errDamaged = errors.New("the fetched repository is damaged and is removed")

// A Store is a folder of bare repositories, one for each remote. It is safe for concurrent
// use by one process. Set the fields before use.
type Store struct {
	// FirstFetchLimit is the FetchLimit of a repository that the Store does not have: the
	// whole of it is fetched, and what a fetch that was ended has received is lost. Zero
	// means FetchLimit.
	FirstFetchLimit time.Duration
	// Reserve is what Collect leaves free. It does not begin what might need more, and
	// removes the repository instead. The zero value means none.
	Reserve jobs.Reserve

	dir        *jobs.Dir
	folder     string
	pathEnv    string
	networkEnv []string

	mu    sync.Mutex
	locks map[string]chan struct{} // by the path of a repository
}

// NewStore returns the Store in the folder "git" of dir, which it creates. Git and its
// helpers are looked up in pathEnv, a PATH. networkEnv is added to the environment of git
// when it calls a remote; see [NetworkEnv].
func NewStore(dir *jobs.Dir, pathEnv string, networkEnv []string) (*Store, error) {
	folder, err := dir.Folder("git")
	if err != nil {
		return nil, err
	}
	return &Store{dir: dir, folder: folder, pathEnv: pathEnv, networkEnv: networkEnv, locks: make(map[string]chan struct{})}, nil
}

// bare is one repository of the Store, locked for one user at a time.
type bare struct {
	*Store
	path   string
	log    io.Writer
	unlock func()
}

// lock waits for the repository of a remote. The object format is part of its name,
// because a repository cannot change it.
func (s *Store) lock(ctx context.Context, path string, log io.Writer) (*bare, error) {
	s.mu.Lock()
	locked, ok := s.locks[path]
	if !ok {
		locked = make(chan struct{}, 1)
		s.locks[path] = locked
	}
	s.mu.Unlock()
	select {
	case locked <- struct{}{}:
		return &bare{s, path, log, func() { <-locked }}, nil
	default:
	}
	fmt.Fprintln(log, "waiting for another checkout of the repository")
	select {
	case locked <- struct{}{}:
		return &bare{s, path, log, func() { <-locked }}, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (s *Store) pathOf(remote, sha string) string {
	sum := sha256.Sum256([]byte(remote + "\x00" + objectFormat(sha)))
	return filepath.Join(s.folder, hex.EncodeToString(sum[:16])+".git")
}

func objectFormat(sha string) string {
	if len(sha) == 64 {
		return "sha256"
	}
	return "sha1"
}

// refOf returns the name in the Store of a branch or tag. It is a digest, so no external
// name is part of a path.
func refOf(ref string) string {
	sum := sha256.Sum256([]byte(ref))
	return "refs/builds/" + hex.EncodeToString(sum[:16])
}

// isLeftover reports whether only a killed git leaves a file with this name: a lock, an
// incomplete pack, or an incomplete list of refs, without whose removal git cannot delete a
// ref any more.
func isLeftover(name string) bool {
	return strings.HasSuffix(name, ".lock") || strings.HasSuffix(name, ".keep") || name == "packed-refs.new" ||
		strings.HasPrefix(name, "tmp_") || strings.HasPrefix(name, ".tmp-")
}

// removeLeftovers removes what a killed git has left.
func (b *bare) removeLeftovers() error {
	return filepath.WalkDir(b.path, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && e.Type().IsRegular() && isLeftover(e.Name()) {
			err = os.Remove(path)
		}
		return err
	})
}

// prepare creates the repository, or removes what a killed git has left in it. It always
// recreates the files that tell git where to look and which server to call: if builds run
// as the program's own user, an earlier build could have changed them to send the token
// elsewhere.
func (b *bare) prepare(ctx context.Context, format string) error {
	for _, name := range []string{"config", "config.worktree", "commondir"} {
		if err := os.RemoveAll(filepath.Join(b.path, name)); err != nil {
			return err
		}
	}
	if err := b.removeLeftovers(); err != nil {
		return err
	}
	if err := b.git(ctx, nil, "init", "--quiet", "--bare", "--template=", "--object-format="+format, "--", b.path); err != nil {
		return fmt.Errorf("git init: %w", err)
	}
	now := time.Now()
	return os.Chtimes(b.path, now, now) // for Collect
}

// fetch brings the commit of c into the repository.
func (b *bare) fetch(ctx context.Context, c Commit) error {
	err := b.gitRemote(ctx, c, nil, "--git-dir="+b.path, "fetch", "--quiet", "--no-tags", "--no-auto-gc", "--no-recurse-submodules", "--no-write-fetch-head",
		"--", c.Remote, "+"+c.SHA+":"+refOf(c.Ref))
	if err != nil {
		return b.diagnose(ctx, c, fmt.Errorf("git fetch: %w", err))
	}
	return nil
}

// diagnose asks the remote for the ref to find out why a fetch failed. It returns an error
// that wraps ErrGone if the ref no longer points to the commit, and otherwise the error of
// the fetch. If the remote answers and the repository is damaged, it removes that, and the
// next fetch begins anew.
func (b *bare) diagnose(ctx context.Context, c Commit, fetch error) error {
	var refs bytes.Buffer
	if err := b.gitRemote(ctx, c, &refs, "ls-remote", "--quiet", "--", c.Remote, c.Ref, c.Ref+"^{}"); err != nil {
		return fetch
	}
	if err := b.git(ctx, nil, "--git-dir="+b.path, "fsck", "--connectivity-only", "--no-dangling", "--no-progress"); err != nil && ctx.Err() == nil {
		return errors.Join(fetch, errDamaged, os.RemoveAll(b.path))
	}
	switch text := refs.String(); {
	case strings.Contains(text, c.SHA):
		return fetch
	case text == "":
		return fmt.Errorf("%w: %s was deleted", ErrGone, c.Ref)
	default:
		now, _, _ := strings.Cut(text, "\t")
		return fmt.Errorf("%w: %s now points to %.12s", ErrGone, c.Ref, now)
	}
}

// commitOf returns the commit that an object is, or that an annotated tag points to.
func (b *bare) commitOf(ctx context.Context, sha string) (string, error) {
	var out bytes.Buffer
	err := b.git(ctx, &out, "--git-dir="+b.path, "rev-parse", "--verify", "--quiet", sha+"^{commit}")
	if status, ok := jobs.ExitStatus(err); ok && status == "exit status 1" {
		return "", fmt.Errorf("%w: %.12s is neither a commit nor a tag of one", ErrGone, sha)
	}
	if err != nil {
		return "", fmt.Errorf("git rev-parse: %w", err)
	}
	commit := strings.TrimSpace(out.String())
	if !IsCommit(commit) {
		return "", fmt.Errorf("git rev-parse: %.100q is not a commit id", commit)
	}
	return commit, nil
}

// link makes hard links to all objects of the repository in dir, which it creates. They
// remain when Collect deletes the objects, and other users can read them in dir.
func (b *bare) link(dir string) error {
	from := filepath.Join(b.path, "objects")
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, strings.TrimPrefix(path, from))
		switch {
		case path == filepath.Join(from, "info"):
			return fs.SkipDir
		case e.IsDir():
			return errors.Join(os.Mkdir(to, 0o755), os.Chmod(to, 0o755))
		default:
			return os.Link(path, to)
		}
	})
}
