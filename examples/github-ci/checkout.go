package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// fetchLimit bounds the total time of git for one build.
const fetchLimit = 10 * time.Minute

// errCommitUnavailable means that the remote no longer has the commit, so a retry
// cannot succeed.
var errCommitUnavailable = errors.New("commit is no longer available")

// A checkout brings one commit into a work area.
type checkout struct {
	area       workArea
	user       account // owner of the checkout; github-ci owns the fetched repository
	remote     string  // from the configuration, never from the payload
	ref        string
	sha        string
	pathEnv    string         // PATH
	networkEnv []string       // additional environment of git when it calls the remote
	token      webhook.Secret // if zero, the repository must be public
	log        io.Writer
}

// run fetches the commit, even if the branch has moved on, and checks it out. The
// error wraps errCommitUnavailable if a retry cannot succeed.
func (c checkout) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, fetchLimit, fmt.Errorf("git took longer than %s", fetchLimit))
	defer cancel()
	err := c.fetchAndCheckOut(ctx)
	if err == nil || errors.Is(err, errCommitUnavailable) { // after any other error git may have been killed
		err = errors.Join(err, c.area.setComplete())
	}
	return err
}

func (c checkout) fetchAndCheckOut(ctx context.Context) error {
	if err := c.initBare(ctx); err != nil {
		return err
	}
	err := c.gitRemote(ctx, nil, "--git-dir="+c.area.git, "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
		"--", c.remote, "+"+c.sha+":refs/builds/last")
	if err != nil {
		return c.diagnose(ctx, fmt.Errorf("git fetch: %w", err))
	}
	if err := c.git(ctx, "init", "--quiet", "--template=", "--object-format="+c.objectFormat(), "--", c.area.src); err != nil {
		return fmt.Errorf("git init: %w", err)
	}
	// The checkout shares the fetched objects and has its own settings and hooks.
	alternates := filepath.Join(c.area.src, ".git", "objects", "info", "alternates")
	if err := os.MkdirAll(filepath.Dir(alternates), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(alternates, []byte(filepath.Join(c.area.git, "objects")+"\n"), 0o600); err != nil {
		return err
	}
	if err := c.area.chown(c.user); err != nil {
		return err
	}
	// From here on git runs as the build's user, because it processes the content of
	// the commit.
	err = c.runGit(ctx, c.user, nil, nil, []string{"-C", c.area.src, "checkout", "--quiet", "--force", "--no-recurse-submodules", "--detach", c.sha, "--"})
	if err != nil {
		return fmt.Errorf("git checkout: %w", err)
	}
	return nil
}

// initBare creates the repository to fetch into. It always recreates the files
// that tell git where to look and which server to call: if builds run as
// github-ci's own user, an earlier build could have changed them to send the
// token elsewhere.
func (c checkout) initBare(ctx context.Context) error {
	for _, name := range []string{"config", "config.worktree", "commondir"} {
		if err := os.RemoveAll(filepath.Join(c.area.git, name)); err != nil {
			return err
		}
	}
	if err := c.git(ctx, "init", "--quiet", "--bare", "--template=", "--object-format="+c.objectFormat(), "--", c.area.git); err != nil {
		return fmt.Errorf("git init: %w", err)
	}
	return nil
}

func (c checkout) objectFormat() string {
	if len(c.sha) == 64 {
		return "sha256"
	}
	return "sha1"
}

// diagnose asks the remote for the ref to find out why a fetch failed. It returns
// an error that wraps errCommitUnavailable if the ref no longer points to the
// commit, and otherwise the error of the fetch.
func (c checkout) diagnose(ctx context.Context, fetch error) error {
	var refs bytes.Buffer
	if err := c.gitRemote(ctx, &refs, "ls-remote", "--quiet", "--", c.remote, c.ref, c.ref+"^{}"); err != nil {
		return fetch
	}
	switch text := refs.String(); {
	case strings.Contains(text, c.sha):
		return fetch
	case text == "":
		return fmt.Errorf("%w: %s was deleted", errCommitUnavailable, c.ref)
	default:
		now, _, _ := strings.Cut(text, "\t")
		return fmt.Errorf("%w: %s now points to %.12s", errCommitUnavailable, c.ref, now)
	}
}

// git runs a local git command as github-ci's own user. The supervisor's umask
// lets builds read what is fetched.
func (c checkout) git(ctx context.Context, args ...string) error {
	return c.runGit(ctx, account{}, nil, nil, args)
}

// gitRemote runs a git command that calls the remote. Only such commands get the
// token. If stdout is nil, output goes to the log.
func (c checkout) gitRemote(ctx context.Context, stdout io.Writer, args ...string) error {
	env := c.networkEnv
	if !c.token.IsZero() {
		env = slices.Concat(env, c.credentials())
	}
	return c.runGit(ctx, account{}, stdout, env, args)
}

// runGit runs git as the given user, with only the settings listed here.
func (c checkout) runGit(ctx context.Context, user account, stdout io.Writer, env, args []string) error {
	settings := []string{
		"core.hooksPath=/dev/null",
		"core.fsmonitor=false",
		"submodule.recurse=false",
		"advice.detachedHead=false",
		"gc.autoDetach=false",
		"credential.helper=",
		"http.followRedirects=false",
		"http.lowSpeedLimit=1000",
		"http.lowSpeedTime=60",
	}
	all := []string{"git"}
	for _, s := range settings {
		all = append(all, "-c", s)
	}
	env = append([]string{
		"PATH=" + c.pathEnv,
		"HOME=" + c.area.home,
		"LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_TERMINAL_PROMPT=0",
		"GIT_ALLOW_PROTOCOL=http:https",
	}, env...)
	return command{user: user, args: append(all, args...), dir: c.area.dir, env: env, output: c.log, stdout: stdout, lock: c.area.lock}.run(ctx)
}

// credentials returns environment variables that set the Authorization header
// for this remote only. In the environment, the token is in no file and on no
// command line.
func (c checkout) credentials() []string {
	basic := base64.StdEncoding.EncodeToString(append([]byte("x-access-token:"), c.token.Reveal()...))
	return []string{
		"GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=http." + c.remote + ".extraHeader",
		"GIT_CONFIG_VALUE_0=Authorization: Basic " + basic,
	}
}

// networkEnv returns the proxies and certificate authorities of our environment
// under the names that git and libcurl use. The client for statuses reads the
// same settings from the environment.
func networkEnv(getenv func(string) string) (env []string) {
	for _, name := range []string{"http_proxy", "https_proxy", "no_proxy"} {
		if value := cmp.Or(getenv(strings.ToUpper(name)), getenv(name)); value != "" {
			env = append(env, name+"="+value)
		}
	}
	if file := cmp.Or(getenv("GIT_SSL_CAINFO"), getenv("SSL_CERT_FILE")); file != "" {
		env = append(env, "GIT_SSL_CAINFO="+file)
	}
	if dir := cmp.Or(getenv("GIT_SSL_CAPATH"), getenv("SSL_CERT_DIR")); dir != "" {
		env = append(env, "GIT_SSL_CAPATH="+dir)
	}
	return env
}

// isSameServer reports whether the remote is on the GitHub server with the given
// API, so that the token may be sent to it.
func isSameServer(api *url.URL, remote string) bool {
	u, err := url.Parse(remote)
	if err != nil || u.Scheme != api.Scheme {
		return false
	}
	return u.Host == api.Host || api.Host == "api.github.com" && u.Host == "github.com"
}
