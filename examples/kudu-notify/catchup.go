package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/prom"
)

// A job is a value of -job: a triggered WebJob of one site or of all.
type job struct {
	site string // host of the site; if empty, all sites have the job
	name string
}

// readJobs reads the values of -job.
func readJobs(values []string, sites []site) ([]job, error) {
	var jobs []job
	for _, text := range values {
		host, name, ok := strings.Cut(text, "/")
		if !ok {
			host, name = "", text
		}
		host = strings.ToLower(host)
		switch {
		case name == "" || ok && host == "" || strings.ContainsAny(name, "/\\?#%\x00") || name == "." || name == "..":
			return nil, fmt.Errorf("-job %q is no name of a WebJob, and no host of a site and name, such as app.scm.azurewebsites.net/nightly", text)
		case ok && !slices.ContainsFunc(sites, func(at site) bool { return at.host() == host }):
			return nil, fmt.Errorf("-job %q: %s is the host of no -site", text, host)
		case slices.Contains(jobs, job{host, name}):
			return nil, fmt.Errorf("-job %s is set twice", text)
		}
		jobs = append(jobs, job{host, name})
	}
	return jobs, nil
}

// host returns the host by which the hooks at a site name it.
func (s site) host() string {
	u, err := url.Parse(s.url)
	if err != nil {
		return "" // readURL has validated it
	}
	return u.Host
}

// checkMissed checks the flags for what was missed.
func (c *config) checkMissed(jobs []string) (err error) {
	c.jobs, err = readJobs(jobs, c.sites)
	return errors.Join(err, c.missed.check())
}

// newCatchUps returns the CatchUps of a site, for its deployments and for each job. The
// subscriber takes care of the hooks.
func newCatchUps(cfg *config, at site, client *kudu.Client, source webhook.Source, inbox kudu.CatchUpInbox, log *slog.Logger) []*kudu.CatchUp {
	if !cfg.missed.look {
		return nil
	}
	targets := []kudu.Target{kudu.Deployments()}
	for _, j := range cfg.jobs {
		if j.site == "" || j.site == at.host() {
			targets = append(targets, kudu.TriggeredJob(j.name))
		}
	}
	if len(targets) == 1 {
		log.Info("missed runs of WebJobs are not looked for: set -job", "site", at.url)
	}
	var all []*kudu.CatchUp
	for _, target := range targets {
		c := kudu.NewCatchUp(client, target, source, inbox)
		c.Site, c.Every, c.Logger = at.host(), cfg.missed.every, log
		all = append(all, c)
	}
	return all
}

// statusOf returns a func that reads the status of c for its metrics.
func statusOf(c *kudu.CatchUp) func() prom.CatchUpStatus {
	return func() prom.CatchUpStatus {
		s := c.Status()
		return prom.CatchUpStatus{
			Missing: s.Missing, Found: s.Found, Settled: s.Settled, Lost: s.Lost, Looks: s.Looks, Looked: s.Looked, Err: s.Err,
		}
	}
}
