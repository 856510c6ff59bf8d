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

// fetchLimit bounds everything that git does for one build.
const fetchLimit = 10 * time.Minute

// errGone: the commit cannot be had any more, and never will be.
var errGone = errors.New("the commit is gone")

// A checkout brings one commit into a work area.
type checkout struct {
	area    workArea
	who     account // whom the checkout is for; what is fetched stays ours
	remote  string  // from the configuration, never from the payload
	ref     string
	sha     string
	path    string         // PATH
	network []string       // variables by which a remote is reached
	token   webhook.Secret // Zero means that the repository is public.
	log     io.Writer
}

// run fetches the commit, also where the branch has moved on, and checks it out.
// The error wraps errGone where trying again is of no use.
func (c checkout) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, fetchLimit, fmt.Errorf("git took longer than %s", fetchLimit))
	defer cancel()
	err := c.fetchAndCheckOut(ctx)
	if err == nil || errors.Is(err, errGone) { // else git may have been killed, by whomever
		err = errors.Join(err, c.area.fetched())
	}
	return err
}

func (c checkout) fetchAndCheckOut(ctx context.Context) error {
	if err := c.initBare(ctx); err != nil {
		return err
	}
	err := c.remotely(ctx, nil, "--git-dir="+c.area.git, "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
		"--", c.remote, "+"+c.sha+":refs/builds/last")
	if err != nil {
		return c.why(ctx, fmt.Errorf("git fetch: %w", err))
	}
	if err := c.git(ctx, "init", "--quiet", "--template=", "--object-format="+c.format(), "--", c.area.src); err != nil {
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
	if err := c.area.handOver(c.who); err != nil {
		return err
	}
	// From here on in the rights of the build: what is in the commit decides.
	err = c.start(ctx, c.who, nil, nil, []string{"-C", c.area.src, "checkout", "--quiet", "--force", "--no-recurse-submodules", "--detach", c.sha, "--"})
	if err != nil {
		return fmt.Errorf("git checkout: %w", err)
	}
	return nil
}

// initBare makes the repository that is fetched into. What tells git where to
// look and whom to call is written anew each time: where builds run as
// ourselves, an earlier one could have changed it, to have us hand the token to
// somebody else.
func (c checkout) initBare(ctx context.Context) error {
	for _, name := range []string{"config", "config.worktree", "commondir"} {
		if err := os.RemoveAll(filepath.Join(c.area.git, name)); err != nil {
			return err
		}
	}
	if err := c.git(ctx, "init", "--quiet", "--bare", "--template=", "--object-format="+c.format(), "--", c.area.git); err != nil {
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
	if err := c.remotely(ctx, &refs, "ls-remote", "--quiet", "--", c.remote, c.ref, c.ref+"^{}"); err != nil {
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

// git runs one command of git here, as ourselves, and with the umask of commands:
// builds read what is fetched.
func (c checkout) git(ctx context.Context, args ...string) error {
	return c.start(ctx, account{}, nil, nil, args)
}

// remotely runs one that calls the remote, and is all that sees the token.
// Stdout nil means the log.
func (c checkout) remotely(ctx context.Context, stdout io.Writer, args ...string) error {
	env := c.network
	if !c.token.IsZero() {
		env = slices.Concat(env, c.credentials())
	}
	return c.start(ctx, account{}, stdout, env, args)
}

// start runs git, which reads no settings but those here.
func (c checkout) start(ctx context.Context, who account, stdout io.Writer, env, args []string) error {
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
		"PATH=" + c.path,
		"HOME=" + c.area.home,
		"LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_TERMINAL_PROMPT=0",
		"GIT_ALLOW_PROTOCOL=http:https",
	}, env...)
	return command{who: who, args: append(all, args...), dir: c.area.dir, env: env, output: c.log, stdout: stdout, lock: c.area.lock}.run(ctx)
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

// gitNetwork returns what our environment tells of proxies and authorities, as
// git and libcurl have it. The client for statuses reads the same from it.
func gitNetwork(getenv func(string) string) (env []string) {
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

// sameServer reports whether the remote is on the GitHub whose API is given, so
// that the token may be shown to it.
func sameServer(api *url.URL, remote string) bool {
	u, err := url.Parse(remote)
	if err != nil || u.Scheme != api.Scheme {
		return false
	}
	return u.Host == api.Host || api.Host == "api.github.com" && u.Host == "github.com"
}
