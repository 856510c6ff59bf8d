// GitHub-ci is a build server for pushes to GitHub. It fetches the commit, runs a
// command, keeps the log, and reports the result as a commit status. To start
// your own program from it, copy the folder as described in the README of the
// examples. The README in this folder describes how to run it.
//
//	go run ./github-ci -config github-ci.yaml -url https://ci.example.com
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
)

const usage = `Builds what is pushed to GitHub.

    GITHUB_WEBHOOK_SECRET   the secret of the webhook; to rotate it, list the old and the new one, separated by a comma
    GITHUB_TOKEN            the token that reports commit statuses and fetches private repositories

To read one from a file, set GITHUB_WEBHOOK_SECRET_FILE or GITHUB_TOKEN_FILE to the path of the file.

`

func main() {
	if len(os.Args) > 3 && os.Args[1] == superviseArg {
		superviseMain(os.Args[2:])
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Getenv, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "github-ci:", err)
		os.Exit(1)
	}
}

// run is the whole program: it stores pushes, builds them, reports the results,
// and returns when ctx is done.
func run(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) error {
	flags := flag.NewFlagSet("github-ci", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage); flags.PrintDefaults() }
	config := flags.String("config", "github-ci.yaml", "`file` that configures the repositories and their commands")
	as := flags.String("as", "", "comma-separated `users` (names or uid:gid) to run commands as, one build per user at a time; every other process of these users is killed; if empty, commands can read the token")
	addr := flags.String("addr", ":8080", "address to listen on")
	folder := flags.String("data", "github-ci-data", "folder for work areas and logs")
	database := flags.String("db", "", "SQLite file or postgres:// URL (default github-ci.db in -data)")
	public := flags.String("url", "", "public URL of the pages, for the links in commit statuses")
	api := flags.String("api", "https://api.github.com", "URL of GitHub's API; for GitHub Enterprise Server https://<host>/api/v3")
	reporting := flags.Bool("status", true, "report commit statuses")
	parallel := flags.Int("parallel", 2, "maximum number of builds at the same time")
	shutdownTimeout := flags.Duration("shutdown-timeout", 30*time.Second, "how long running builds may take to finish after SIGTERM; then they are stopped and run again at the next start")
	retention := flags.Duration("retention", 30*24*time.Hour, "how long builds, logs, unused work areas and finished deliveries are kept; dead deliveries are kept for at least 90 days")
	maxLog := flags.Int64("max-log", 10<<20, "maximum size of a build's log in bytes")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: only flags are accepted; see -help", flags.Arg(0))
	}
	if *parallel < 1 || *retention <= 0 || *maxLog < 1 || *shutdownTimeout <= 0 {
		return errors.New("-parallel, -shutdown-timeout, -retention and -max-log must be greater than zero")
	}
	secrets, err := readSecrets(getenv, *reporting)
	if err != nil {
		return err
	}
	rules, err := readConfig(*config)
	if err != nil {
		return fmt.Errorf("-config: %w", err)
	}
	gitHub, err := httpURL(*api)
	if err != nil {
		return fmt.Errorf("-api: %w", err)
	}
	report := reporter{pagesURL: strings.TrimRight(*public, "/")}
	if *reporting {
		if *public == "" {
			return errors.New("-url is missing: commit statuses link to the logs below it; set it, such as https://ci.example.com, or build without statuses with -status=false")
		}
		if _, err := httpURL(*public); err != nil {
			return fmt.Errorf("-url: %w", err)
		}
		report.api, report.token = gitHub, secrets.token
	}
	if _, err := exec.LookPath("git"); err != nil {
		return fmt.Errorf("git is required to fetch commits: %w", err)
	}
	users, err := newAccounts(*as, *parallel)
	if err != nil {
		return fmt.Errorf("-as: %w", err)
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	slog.SetDefault(log) // used by everything without a Logger of its own
	syscall.Umask(0o077)
	if err := hideMemory(); err != nil {
		return fmt.Errorf("cannot protect the program's memory from builds: %w", err)
	}
	if *as == "" {
		log.Warn("commands run as the user of github-ci: anyone who can push can read the token and the secret; see -as")
	}

	// A push is stored before it is acknowledged. Other events are only acknowledged.
	data, err := openData(*folder)
	if err != nil {
		return fmt.Errorf("-data: %w", err)
	}
	defer data.close()
	file := cmp.Or(*database, filepath.Join(data.dir, "github-ci.db"))
	store, err := openStore(ctx, file)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	defer store.close() // after Serve has returned
	path := cmp.Or(getenv("PATH"), "/usr/local/bin:/usr/bin:/bin")
	if *as != "" {
		err := users.check(ctx, data, path, getenv("GITHUB_TOKEN_FILE"), getenv("GITHUB_WEBHOOK_SECRET_FILE"), file)
		if err != nil {
			return fmt.Errorf("-as: %w", err)
		}
	}
	store.Retention = *retention
	if *retention > defaultDeadRetention {
		store.DeadRetention = *retention
	}
	metrics := newMetrics(store.Inbox)
	source := github.Source(secrets.hook...)
	source.Coalesce = webhook.NewestOnly() // of a branch only the newest push is built
	events := webhook.Mux{IgnoreUnhandled: true}
	events.Route(github.Push{}.EventType(), webhook.Store(store))
	receiver := webhook.NewReceiver(source, &events)
	receiver.Logger, receiver.Observer = log, metrics.observer()

	// The builds of one branch run one at a time, in order.
	logs := newLogs(data.logs(), *maxLog)
	b := &builder{
		rules: rules, store: store, data: data, logs: logs, report: report, api: gitHub, token: secrets.token,
		pathEnv: path, networkEnv: networkEnv(getenv), users: users, log: log, onBuilt: metrics.observeBuild,
		stopBuilds: delayedDone(ctx, *shutdownTimeout),
	}
	if err := b.recover(ctx); err != nil {
		return err
	}
	var pushes webhook.Mux
	webhook.On(&pushes, b.handlePush)
	builds := webhook.NewWorker(store, store.SkipStale(&pushes))
	builds.Concurrency, builds.ShutdownTimeout = cap(users), *shutdownTimeout+stopTimeout
	builds.Lease = 10 * time.Second // the delay before a killed process's builds run again
	builds.Timeout = rules.maxTimeout() + fetchLimit + time.Minute
	builds.Logger, builds.Observer = log, webhook.MultiObserver(metrics.observer(), &webhook.Observer{Settled: b.settled})

	// Statuses have their own worker, because GitHub may be unavailable for hours.
	var reports webhook.Mux
	webhook.On(&reports, report.send)
	statuses := webhook.NewWorker(store, &reports)
	statuses.MaxAttempts, statuses.Retry = 30, webhook.Backoff{Max: 10 * time.Minute}
	statuses.Logger, statuses.Observer = log, metrics.observer()

	p := &pages{store: store, logs: logs, log: log, streams: newStreams()}
	routes := http.NewServeMux()
	p.mount(routes)
	routes.Handle("/hooks/github", receiver)
	routes.Handle("GET /healthz", webhook.HealthHandler(store, builds, statuses))
	routes.Handle("GET /metrics", metrics.handler())
	server := &http.Server{
		Handler:           routes,
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(p.streams.stop)
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	log.Info("listening", "url", "http://"+listener.Addr().String())
	return webhook.Serve(ctx, server, listener, builds, statuses, &janitor{store, logs, data, *retention, log})
}

// defaultDeadRetention is the default of sqlinbox.Inbox.DeadRetention.
const defaultDeadRetention = 90 * 24 * time.Hour

// stopTimeout bounds the time to kill builds and to record it, after
// -shutdown-timeout.
const stopTimeout = 15 * time.Second

// delayedDone returns a context that is canceled a delay after ctx is done.
func delayedDone(ctx context.Context, delay time.Duration) context.Context {
	delayed, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(delay, cancel) })
	return delayed
}

// httpURL parses the URL of a flag. It accepts http and https URLs without a
// user.
func httpURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return nil, fmt.Errorf("%q is not an http or https URL without a user", text)
	}
	return u, nil
}
