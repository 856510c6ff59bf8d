// GitHub-ci does what a build server does on a push: it fetches the commit, runs
// a command, keeps the log, and tells GitHub what came of it. To begin with it,
// copy the folder, as the README of the examples tells; its own says how
// to run it.
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

    GITHUB_WEBHOOK_SECRET   what GitHub signs with; several, separated by commas, while it is rotated
    GITHUB_TOKEN            what commit statuses are reported with, and private repositories fetched

Each may be read from a file instead, named by the same variable with _FILE appended.

`

func main() {
	if len(os.Args) > 3 && os.Args[1] == supervise {
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

// run is the whole program: it stores pushes, builds them, reports, and stops
// when ctx ends.
func run(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) error {
	flags := flag.NewFlagSet("github-ci", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage); flags.PrintDefaults() }
	config := flags.String("config", "github-ci.yaml", "what is built and how")
	as := flags.String("as", "", "`users`, names or uid:gid, separated by commas, that commands run as, each for one build at a time, and nothing else does: it would be killed; unless set, commands can read the token")
	addr := flags.String("addr", ":8080", "address to listen on")
	folder := flags.String("data", "github-ci-data", "folder for work areas and logs")
	database := flags.String("db", "", "SQLite file or postgres:// URL (default github-ci.db in -data)")
	public := flags.String("url", "", "URL under which people reach the pages, for the links in statuses")
	api := flags.String("api", "https://api.github.com", "GitHub's API; of an Enterprise Server https://<host>/api/v3")
	reporting := flags.Bool("status", true, "report commit statuses")
	parallel := flags.Int("parallel", 2, "builds at once")
	grace := flags.Duration("grace", 30*time.Second, "how long builds may finish after SIGTERM; then they are stopped, and run again at the next start")
	keep := flags.Duration("keep", 30*24*time.Hour, "how long builds, logs, unused work areas and finished deliveries are kept; dead deliveries 90 days at least")
	maxLog := flags.Int64("max-log", 10<<20, "bytes of a log that are kept")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("takes only flags, not %q; see -help", flags.Arg(0))
	}
	if *parallel < 1 || *keep <= 0 || *maxLog < 1 || *grace <= 0 {
		return errors.New("-parallel, -grace, -keep and -max-log must be above zero")
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
	report := reporter{pages: strings.TrimRight(*public, "/")}
	if *reporting {
		if *public == "" {
			return errors.New("-url is missing: commit statuses link to the logs under it, such as https://ci.example.com; -status=false builds without")
		}
		if _, err := httpURL(*public); err != nil {
			return fmt.Errorf("-url: %w", err)
		}
		report.api, report.token = gitHub, secrets.token
	}
	if _, err := exec.LookPath("git"); err != nil {
		return fmt.Errorf("git is needed to fetch: %w", err)
	}
	users, err := newAccounts(*as, *parallel)
	if err != nil {
		return fmt.Errorf("-as: %w", err)
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	slog.SetDefault(log) // for what has no Logger of its own
	syscall.Umask(0o077)
	if err := hideMemory(); err != nil {
		return fmt.Errorf("memory could not be hidden from the builds: %w", err)
	}
	if *as == "" {
		log.Warn("commands run as the user of github-ci: whoever may push can have them read the token and the secret; see -as")
	}

	// Pushes are stored first and acknowledged second; other events need neither.
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
	defer store.close() // last
	path := cmp.Or(getenv("PATH"), "/usr/local/bin:/usr/bin:/bin")
	if *as != "" {
		err := users.check(ctx, data, path, getenv("GITHUB_TOKEN_FILE"), getenv("GITHUB_WEBHOOK_SECRET_FILE"), file)
		if err != nil {
			return fmt.Errorf("-as: %w", err)
		}
	}
	store.Retention = *keep
	if *keep > deadKept {
		store.DeadRetention = *keep
	}
	metrics := newMetrics(store.Inbox)
	source := github.Source(secrets.hook...)
	source.Coalesce = newestOnly
	events := webhook.Mux{IgnoreUnhandled: true}
	events.Route(github.Push{}.EventType(), webhook.Store(store))
	receiver := webhook.NewReceiver(source, &events)
	receiver.Logger, receiver.Observer = log, metrics.observer()

	// One build of a branch at a time, in order.
	logs := newLogs(data.logs(), *maxLog)
	b := &builder{
		rules: rules, store: store, data: data, logs: logs, report: report, api: gitHub, token: secrets.token,
		path: path, git: gitNetwork(getenv), users: users, log: log, count: metrics.built,
		over: after(ctx, *grace),
	}
	if err := b.recover(ctx); err != nil {
		return err
	}
	var pushes webhook.Mux
	webhook.On(&pushes, b.push)
	builds := webhook.NewWorker(store, store.SkipStale(&pushes))
	builds.Concurrency, builds.ShutdownTimeout = cap(users), *grace+stopTime
	builds.Lease = 10 * time.Second // so long waits what a killed process was at
	builds.Timeout = rules.longest() + fetchLimit + time.Minute
	builds.Logger, builds.Observer = log, metrics.observer()
	counted := builds.Observer.Settled
	builds.Observer.Settled = func(c webhook.Claim, o webhook.Outcome, took time.Duration) {
		counted(c, o, took)
		b.settled(c, o)
	}

	// Statuses have a worker of their own: GitHub may be away for hours.
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
	server.RegisterOnShutdown(p.streams.end)
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	log.Info("listening", "url", "http://"+listener.Addr().String())
	return webhook.Serve(ctx, server, listener, builds, statuses, &janitor{store, logs, data, *keep, log})
}

// deadKept is the default of sqlinbox.Inbox.DeadRetention.
const deadKept = 90 * 24 * time.Hour

// stopTime is what killing builds and recording it may take after -grace.
const stopTime = 15 * time.Second

// after returns a context that ends so long after ctx.
func after(ctx context.Context, grace time.Duration) context.Context {
	over, end := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(grace, end) })
	return over
}

// httpURL reads the URL of a flag.
func httpURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return nil, fmt.Errorf("%q is no http or https URL", text)
	}
	return u, nil
}
