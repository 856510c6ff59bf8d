package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// fetchLimit bounds everything that git does for one build.
const fetchLimit = 10 * time.Minute

// errGone: the commit cannot be had any more, and never will be.
var errGone = errors.New("the commit is gone")

// A checkout brings one commit into a work area.
type checkout struct {
	area   workArea
	build  string
	remote string // from the configuration, never from the payload
	ref    string
	sha    string
	path   string         // PATH
	token  webhook.Secret // Zero means that the repository is public.
	log    io.Writer
}

// run fetches the commit, also where the branch has moved on, and checks it out.
// The error wraps errGone where trying again is of no use.
func (c checkout) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, fetchLimit, fmt.Errorf("git took longer than %s", fetchLimit))
	defer cancel()
	err := c.fetchAndCheckOut(ctx)
	if ctx.Err() == nil { // git was not killed
		err = errors.Join(err, c.area.fetched())
	}
	return err
}

func (c checkout) fetchAndCheckOut(ctx context.Context) error {
	if err := c.initBare(ctx); err != nil {
		return err
	}
	err := c.git(ctx, nil, "--git-dir="+c.area.git, "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
		"--", c.remote, "+"+c.sha+":refs/builds/last")
	if err != nil {
		return c.why(ctx, fmt.Errorf("git fetch: %w", err))
	}
	if err := c.git(ctx, nil, "init", "--quiet", "--template=", "--object-format="+c.format(), "--", c.area.src); err != nil {
		return fmt.Errorf("git init: %w", err)
	}
	// The checkout borrows the objects and has its own settings and hooks.
	alternates := filepath.Join(c.area.src, ".git", "objects", "info", "alternates")
	if err := os.MkdirAll(filepath.Dir(alternates), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(alternates, []byte(filepath.Join(c.area.git, "objects")+"\n"), 0o600); err != nil {
		return err
	}
	if err := c.git(ctx, nil, "-C", c.area.src, "checkout", "--quiet", "--force", "--no-recurse-submodules", "--detach", c.sha, "--"); err != nil {
		return fmt.Errorf("git checkout: %w", err)
	}
	return nil
}

// initBare makes the repository that is fetched into. Its settings are written
// anew each time: the command of an earlier build could have changed them, to
// have us hand the token to somebody else.
func (c checkout) initBare(ctx context.Context) error {
	if err := os.Remove(filepath.Join(c.area.git, "config")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := c.git(ctx, nil, "init", "--quiet", "--bare", "--template=", "--object-format="+c.format(), "--", c.area.git); err != nil {
		return fmt.Errorf("git init: %w", err)
	}
	return nil
}

func (c checkout) format() string {
	if len(c.sha) == 64 {
		return "sha256"
	}
	return "sha1"
}

// why tells a commit that is gone from a remote that cannot be reached, by
// asking what the ref is now.
func (c checkout) why(ctx context.Context, fetch error) error {
	var refs bytes.Buffer
	if err := c.git(ctx, &refs, "ls-remote", "--quiet", "--", c.remote, c.ref, c.ref+"^{}"); err != nil {
		return fetch
	}
	switch text := refs.String(); {
	case strings.Contains(text, c.sha):
		return fetch
	case text == "":
		return fmt.Errorf("%w: %s was deleted", errGone, c.ref)
	default:
		now, _, _ := strings.Cut(text, "\t")
		return fmt.Errorf("%w: %s was replaced and is %.12s now", errGone, c.ref, now)
	}
}

// git runs one command of git, which reads no settings but those here. Stdout
// nil means the log.
func (c checkout) git(ctx context.Context, stdout io.Writer, args ...string) error {
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
	env := []string{
		"PATH=" + c.path,
		"HOME=" + c.area.home,
		"LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_TERMINAL_PROMPT=0",
		"GIT_ALLOW_PROTOCOL=http:https",
	}
	if !c.token.IsZero() {
		env = append(env, c.credentials()...)
	}
	return command{build: c.build, args: append(all, args...), dir: c.area.dir, env: env, output: c.log, stdout: stdout}.run(ctx)
}

// credentials are a setting for this one remote, by the environment, so that
// the token is in no file and on no command line.
func (c checkout) credentials() []string {
	basic := base64.StdEncoding.EncodeToString(append([]byte("x-access-token:"), c.token.Reveal()...))
	return []string{
		"GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=http." + c.remote + ".extraHeader",
		"GIT_CONFIG_VALUE_0=Authorization: Basic " + basic,
	}
}

// sameServer reports whether the remote is on the GitHub whose API is given, so
// that the token may be shown to it.
func sameServer(api *url.URL, remote string) bool {
	u, err := url.Parse(remote)
	if err != nil || u.Scheme != api.Scheme {
		return false
	}
	return u.Host == api.Host || api.Host == "api.github.com" && u.Host == "github.com"
}
