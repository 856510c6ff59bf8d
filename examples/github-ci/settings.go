package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/examples/github-ci/git"
	"github.com/hookhouse/hookhouse/examples/github-ci/jobs"
	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
)

const usage = `Builds what is pushed to GitHub.

Secrets come from the environment. To read one from a file, set GITHUB_WEBHOOK_SECRET_FILE, and so on, to the path of the file:

    GITHUB_WEBHOOK_SECRET   the secret of the webhook, at least 16 characters; to rotate it, write the new and the old one
                            on separate lines
    GITHUB_TOKEN            the token that reports commit statuses, fetches private repositories, and asks GitHub for missed pushes
    INSPECTOR_PASSWORD      the password of the inspector. If -admin-addr is on this machine alone, such as
                            127.0.0.1:8081, it is not needed to look, but to replay and to pause.

and each secret that -secret names.

`

// Names of the program's own secrets.
const (
	secretName = "GITHUB_WEBHOOK_SECRET"
	tokenName  = "GITHUB_TOKEN"
)

// settings holds the validated values of the flags, of the environment, and of the
// file of -config.
type settings struct {
	addr, adminAddr, data, database, as string

	public          string   // base URL of the pages
	api             *url.URL // of GitHub
	hook            []webhook.Secret
	guard           guard
	token           webhook.Secret
	buildSecrets    map[string]webhook.Secret // those of -secret
	secretFiles     []string                  // which builds must not be able to read
	rules           rules
	users           *jobs.Users
	pathEnv         string   // PATH for commands and git
	networkEnv      []string // additional environment of git when it calls a remote
	shutdownTimeout time.Duration
	retention       time.Duration
	maxLog          int64
	diskReserve     jobs.Size
	firstFetch      time.Duration

	missed missedFlags
	hooks  []github.HookRef // of -catch-up-hook

	status, skipCI, check, version bool
}

func readSettings(args []string, getenv func(string) string, stderr io.Writer) (*settings, error) {
	s := &settings{diskReserve: 1 << 30, buildSecrets: make(map[string]webhook.Secret)}
	var config, api string
	var parallel int
	var secrets []string
	flags := flag.NewFlagSet("github-ci", flag.ContinueOnError)
	flags.StringVar(&config, "config", "github-ci.yaml", "`file` that configures the repositories and their commands")
	flags.StringVar(&s.as, "as", "", "comma-separated `users` (names or uid:gid) to run commands as, one build per user at a time; every other process of these users is killed; if empty, commands can read the token, and root is refused")
	flags.StringVar(&s.addr, "addr", ":8080", "address to listen on")
	flags.StringVar(&s.adminAddr, "admin-addr", "", "address for the pages, /healthz, /metrics and the inspector, /inspect/; the pages then have a button to build again; if empty, -addr serves all but the inspector")
	flags.StringVar(&s.data, "data", "github-ci-data", "folder for work areas, fetched repositories and logs")
	flags.StringVar(&s.database, "db", "", "SQLite file or postgres:// URL (default github-ci.db in -data)")
	flags.Var(&s.diskReserve, "disk-reserve", "no build begins while the disk of -data has less free space than this `size`, and running builds are stopped below half of it; 0 means no reserve")
	flags.Func("secret", "a secret for builds: `NAME` for one in the variable NAME, or in the file of NAME_FILE, or NAME=FILE; commands get it in the variable NAME if their repository lists it, and logs hide it; may be repeated", func(text string) error {
		secrets = append(secrets, text)
		return nil
	})
	flags.DurationVar(&s.firstFetch, "first-fetch-timeout", time.Hour, "how long git may take for the first build of a repository, which fetches all of it; for later builds it is "+git.FetchLimit.String())
	flags.Func("catch-up-hook", "a `hook` whose missed pushes are looked for: owner/repository/id or organization/id; GITHUB_TOKEN needs its Webhooks permission, read and write; may be repeated", func(text string) error {
		hook, err := readHook(text)
		s.hooks = append(s.hooks, hook)
		return err
	})
	s.missed.define(flags, "pushes to -catch-up-hook")
	flags.StringVar(&s.public, "url", "", "public URL of the pages, for the links in commit statuses")
	flags.StringVar(&api, "api", "https://api.github.com", "URL of GitHub's API; for GHE.com https://api.<name>.ghe.com, for GitHub Enterprise Server https://<host>/api/v3")
	flags.BoolVar(&s.status, "status", true, "report commit statuses")
	flags.BoolVar(&s.skipCI, "skip-ci", false, "do not build a push to a branch whose newest commit has [skip ci] or [ci skip] in its message")
	flags.IntVar(&parallel, "parallel", 2, "maximum number of builds at the same time")
	flags.DurationVar(&s.shutdownTimeout, "shutdown-timeout", 30*time.Second, "how long running builds may take to finish after SIGTERM; then they are stopped and run again at the next start")
	flags.DurationVar(&s.retention, "retention", 30*24*time.Hour, "how long builds, logs, unused repositories and finished deliveries are kept; dead deliveries are kept for at least 90 days")
	flags.Int64Var(&s.maxLog, "max-log", 10<<20, "maximum size of a build's log in bytes")
	flags.BoolVar(&s.check, "check", false, "check the flags, the secrets, the configuration, the database, and that the token reads each repository, and exit")
	flags.BoolVar(&s.version, "version", false, "print the version and exit")
	if err := parseFlags(flags, usage, stderr, args); err != nil || s.version {
		return s, err
	}
	switch {
	case flags.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q: only flags are accepted; see -help", flags.Arg(0))
	case parallel < 1 || s.retention <= 0 || s.maxLog < 1 || s.shutdownTimeout <= 0 || s.firstFetch <= 0:
		return nil, errors.New("-parallel, -shutdown-timeout, -first-fetch-timeout, -retention and -max-log must be greater than zero")
	case os.Geteuid() == 0 && s.as == "":
		return nil, errors.New("-as is missing: builds would run as root; set it to users for builds, or run github-ci as another user")
	}
	if err := s.missed.check(); err != nil {
		return nil, err
	}
	var err error
	if s.data, err = filepath.Abs(s.data); err != nil {
		return nil, fmt.Errorf("-data: %w", err)
	}
	s.database = cmp.Or(s.database, filepath.Join(s.data, "github-ci.db"))
	if s.api, err = httpURL(api); err != nil {
		return nil, fmt.Errorf("-api: %w", err)
	}
	if err := s.readPublic(); err != nil {
		return nil, err
	}
	if err := s.readOwnSecrets(getenv); err != nil {
		return nil, err
	}
	for _, text := range secrets {
		if err := s.readBuildSecret(getenv, text); err != nil {
			return nil, fmt.Errorf("-secret: %w", err)
		}
	}
	if s.rules, err = readConfig(config, git.Server(s.api), s.buildSecrets); err != nil {
		return nil, fmt.Errorf("-config: %w", err)
	}
	if _, err := exec.LookPath("git"); err != nil {
		return nil, fmt.Errorf("git is required to fetch commits: %w", err)
	}
	s.pathEnv, s.networkEnv = cmp.Or(getenv("PATH"), "/usr/local/bin:/usr/bin:/bin"), git.NetworkEnv(getenv)
	if s.users, err = jobs.LookupUsers(s.as, parallel); err != nil {
		return nil, fmt.Errorf("-as: %w", err)
	}
	return s, nil
}

// readPublic checks -url.
func (s *settings) readPublic() error {
	if !s.status {
		return nil
	}
	if s.public == "" {
		return errors.New("-url is missing: commit statuses link to the logs below it; set it, such as https://ci.example.com, or build without statuses with -status=false")
	}
	if _, err := httpURL(s.public); err != nil {
		return fmt.Errorf("-url: %w", err)
	}
	s.public = strings.TrimRight(s.public, "/")
	return nil
}

// httpURL parses a URL of a flag or of a rule. It accepts http and https URLs without a
// user. Its errors contain no password.
func httpURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err == nil && u.User != nil || err != nil && strings.Contains(text, "@"):
		return nil, errors.New("must not contain a user; want an http or https URL; set the token with GITHUB_TOKEN")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("%q is not an http or https URL", text)
	}
	return u, nil
}

// hostOf returns the host of a URL without its port, or "" if there is none.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// withoutToken lists the repositories whose remote does not get the token.
func (s *settings) withoutToken() string {
	var names []string
	for _, r := range s.rules {
		if !s.token.IsZero() && !git.IsSameServer(s.api, r.Remote) {
			names = append(names, r.Name)
		}
	}
	return strings.Join(names, " ")
}
