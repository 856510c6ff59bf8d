// GitHub-ci is a build server for pushes to GitHub. It fetches the commit, runs a
// command, keeps the log, and reports the result as a commit status. To start
// your own program from it, copy the folder as described in the README of the
// examples. The README in this folder describes how to run it.
//
//	go run ./github-ci -config github-ci.yaml -url https://ci.example.com
//
// The packages below it are parts that a program rarely changes: jobs isolates commands,
// git fetches commits, buildlog keeps and serves logs, builds records builds, page shows
// them, and status reports them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hookhouse/hookhouse/examples/github-ci/buildlog"
	"github.com/hookhouse/hookhouse/examples/github-ci/builds"
	"github.com/hookhouse/hookhouse/examples/github-ci/git"
	"github.com/hookhouse/hookhouse/examples/github-ci/jobs"
	"github.com/hookhouse/hookhouse/examples/github-ci/page"
	"github.com/hookhouse/hookhouse/examples/github-ci/status"
	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
	"github.com/hookhouse/hookhouse/webhook/prom"
)

func main() {
	jobs.Supervise()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program, and with it the builds, at once
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "github-ci:", err)
		os.Exit(1)
	}
}

// run is the whole program: it stores pushes, builds them, reports the results,
// and returns when ctx is done.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	s, err := readSettings(args, getenv, stderr)
	if err != nil {
		return err
	}
	if s.version {
		fmt.Fprintln(stdout, "github-ci", version())
		return nil
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	slog.SetDefault(log) // used by everything without a Logger of its own
	logSecrets(log, secretName, s.hook)
	syscall.Umask(0o077)
	if err := jobs.HideMemory(); err != nil {
		return fmt.Errorf("cannot protect the program's memory from builds: %w", err)
	}
	if s.check {
		return s.checkAll(ctx, log)
	}
	if s.as == "" {
		log.Warn("commands run as the user of github-ci: anyone who can push can read the token and the secrets; see -as")
	}
	if text := s.withoutToken(); text != "" {
		log.Warn("the token is not sent to these remotes: they are not on the server of -api", "repositories", text)
	}

	dir, err := jobs.Open(s.data)
	if err != nil {
		return fmt.Errorf("-data: %w", err)
	}
	defer dir.Close()
	store, err := openStore(ctx, s.database)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	defer store.close() // after Serve has returned
	report := status.Reporter{PagesURL: s.public}
	if s.status {
		report.API, report.Token = s.api, s.token
	}
	records, err := builds.New(ctx, store.db, store.Inbox, report.Delivery)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	logFolder, err := dir.Folder("logs")
	if err != nil {
		return fmt.Errorf("-data: %w", err)
	}
	repositories, err := git.NewStore(dir, s.pathEnv, s.networkEnv)
	if err != nil {
		return fmt.Errorf("-data: %w", err)
	}
	repositories.FirstFetchLimit, repositories.Reserve = s.firstFetch, jobs.Reserve{Path: dir.Path(), Size: s.diskReserve}
	if s.as != "" {
		if err := dir.CheckUsers(ctx, s.users, s.pathEnv, append(s.secretFiles, s.database, logFolder, dir.Path()+"/git")...); err != nil {
			return fmt.Errorf("-as: %w", err)
		}
	}
	store.Retention = s.retention
	store.DeadRetention = max(s.retention, 90*24*time.Hour)
	metrics := prom.New(github.Push{}.EventType(), status.Status{}.EventType(), leftOut)
	store.Observer = metrics.InboxObserver()
	built := newBuildMetrics()

	// A push is stored before it is acknowledged. Other events are only acknowledged, unless
	// missed ones are looked for: what is not stored is missing.
	source := github.Source(s.hook...)
	source.Coalesce = webhook.NewestOnly() // of a branch only the newest push is built
	events := webhook.Mux{IgnoreUnhandled: true}
	if s.looks() {
		events.Default = leavingOut(webhook.Store(store))
	}
	events.Route(github.Push{}.EventType(), s.skipping(webhook.Store(store), events.Default))
	receiver := webhook.NewReceiver(source, &events)
	receiver.Logger = log
	catchUps, err := s.newCatchUps(source, store, log)
	if err != nil {
		return err
	}
	observers := []*webhook.Observer{metrics.Observer()}
	var runners []webhook.Runner
	looks := make(map[string]func() prom.CatchUpStatus)
	for i, c := range catchUps {
		observers, runners = append(observers, c.Observer()), append(runners, c)
		looks[s.hooks[i].String()] = statusOf(c)
	}
	receiver.Observer = webhook.MultiObserver(observers...)

	context.AfterFunc(ctx, func() {
		log.Info("stopping: running builds may finish; a second signal stops them now", "within", s.shutdownTimeout)
	})

	// The builds of one branch run one at a time, in order.
	logs := buildlog.New(logFolder, s.maxLog, s.hidden())
	b := &builder{
		settings: s, inbox: store.Inbox, builds: records, dir: dir, repositories: repositories, logs: logs, report: report, log: log,
		reserve: repositories.Reserve, onBuilt: built.observe, stopBuilds: delayedDone(ctx, s.shutdownTimeout),
	}
	if err := b.recover(ctx); err != nil {
		return err
	}
	var pushes webhook.Mux
	webhook.On(&pushes, b.handlePush)
	worker := webhook.NewWorker(store, store.SkipStale(&pushes))
	worker.Concurrency, worker.ShutdownTimeout = s.users.Len(), s.shutdownTimeout+stopTimeout
	worker.Lease = 10 * time.Second // the delay before a killed process's builds run again
	worker.Timeout = s.rules.maxTimeout() + time.Duration(s.users.Len())*max(git.FetchLimit, s.firstFetch) + git.CollectLimit + time.Minute
	worker.Logger, worker.Observer = log, webhook.MultiObserver(metrics.Observer(), &webhook.Observer{Settled: b.settled})

	// Statuses have their own worker, because GitHub may be unavailable for hours.
	var reports webhook.Mux
	webhook.On(&reports, report.Send)
	reports.Route(leftOut, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return webhook.ErrIgnored }))
	statuses := webhook.NewWorker(store, &reports)
	statuses.MaxAttempts, statuses.Retry = 30, webhook.Backoff{Max: 10 * time.Minute}
	statuses.Logger, statuses.Observer = log, metrics.Observer()

	inspector, err := inspect.New(store, s.guard.protect)
	if err != nil {
		return err
	}
	// Builds can reach -admin-addr: without a password nothing can be done there.
	inspector.ReadOnly, inspector.Summarize = len(s.guard.passwords) == 0, github.Summary
	public, private := http.NewServeMux(), http.NewServeMux()
	if s.adminAddr == "" {
		private = public
	}
	public.Handle("/hooks/github", inspector.Watch(source, receiver))
	public.Handle("/", &wrongPath{log: log})
	p := &page.Pages{Inbox: store.Inbox, Builds: records, Logs: logs, Log: log, Host: hostOf(s.public)}
	if s.adminAddr != "" {
		p.Again, p.Inspector = s.rules.build, "."+inspectPath
	}
	p.Mount(ctx, private)
	private.Handle("GET /healthz", webhook.HealthHandler(store, worker, statuses))
	private.Handle("GET /metrics", prom.Handler(metrics, metrics.Stats(store), built.seconds, prom.CatchUps(looks),
		prom.Health(map[string]*webhook.Worker{"builds": worker, "statuses": statuses})))
	runners = append(runners, worker, statuses, &janitor{records, logs, repositories, s.retention, log})
	admin, err := listenAdmin(s.adminAddr, private, inspector, log)
	if err != nil {
		return err
	}
	if admin != nil {
		runners = append(runners, admin)
	}
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		return err
	}
	log.Info("listening", "url", "http://"+listener.Addr().String())
	return webhook.Serve(ctx, newServer(public, log), listener, runners...)
}

// stopTimeout bounds the time to kill builds and to record it, after
// -shutdown-timeout.
const stopTimeout = 15 * time.Second

// delayedDone returns a context that is canceled a delay after ctx is done.
func delayedDone(ctx context.Context, delay time.Duration) context.Context {
	delayed, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(delay, cancel) })
	return delayed
}
