package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

// usage is the text of -help before the flags.
const usage = `Sends notices of the results of the deployments and WebJobs of Azure sites to Slack, by mail, or to a URL.

Secrets come from the environment. To read one from a file, set KUDU_PASSWORD_FILE, and so on, to the path of the file:

    KUDU_PASSWORD          password of -user at the site, or
    KUDU_TOKEN             bearer token for the site. With several sites: one for all, or one for each, on separate lines
                           in the order of -site.
    KUDU_WEBHOOK_PASSWORD  password that the sites send with each event; create one with openssl rand -hex 32.
                           To rotate it, write the new and the old one on separate lines: both are accepted, and the
                           sites get the first one. Not needed for -unsubscribe.
    SLACK_WEBHOOK_URL      incoming webhook of Slack
    SMTP_PASSWORD          password of -smtp-user
    NOTIFY_URL             URL to post notices to
    INSPECTOR_PASSWORD     password of the inspector; not needed if -admin-addr is on this machine alone, such as
                           127.0.0.1:8081

At least one of SLACK_WEBHOOK_URL, -smtp and NOTIFY_URL is required.

The exit status is 78 if a restart cannot help: if a flag or a secret is invalid, or if a site denies the
first subscription of all. It is 1 for all other failures.

`

// A config holds the validated values of the flags and of the environment.
type config struct {
	addr, adminAddr     string
	database, public    string
	sites               []site
	passwords           []webhook.Secret
	guard               guard
	channel             string
	rules               map[string]bool
	targets             []target
	retry, blockTimeout time.Duration
	missed              missedFlags
	jobs                []job
	unsubscribe         bool
	check, test         bool // do only that
	version             bool
}

func readConfig(args []string, getenv func(string) string, stderr io.Writer) (*config, error) {
	cfg := new(config)
	var sites, users, jobs repeated
	var on, mention, server, smtpUser, from, to string
	flags := flag.NewFlagSet("kudu-notify", flag.ContinueOnError)
	flags.StringVar(&cfg.addr, "addr", ":8080", "address to listen on")
	flags.StringVar(&cfg.adminAddr, "admin-addr", "", "address for /healthz, /metrics and the inspector, /inspect/; if empty, -addr serves /healthz and /metrics")
	flags.StringVar(&cfg.database, "db", "kudu-notify.db", "SQLite file or postgres:// URL")
	flags.Var(&sites, "site", "SCM `URL` of the site: https://app.scm.azurewebsites.net; for several, repeat the flag")
	flags.Var(&users, "user", "deployment `user` of the site, such as $app; for several sites once for all, or once for each")
	flags.StringVar(&cfg.public, "url", "", "`URL` at which the site reaches this program: https://notify.example.com")
	flags.StringVar(&on, "on", "failure,recovery", "comma-separated `list` of the notices to send: failure, recovery, success")
	flags.StringVar(&cfg.channel, "slack-channel", "", "Slack channel instead of the webhook's own")
	flags.StringVar(&mention, "slack-mention", "", "comma-separated `list` of whom Slack mentions in failures: here, channel, everyone, and IDs of members and user groups")
	flags.StringVar(&server, "smtp", "", "SMTP server as `host:port`")
	flags.StringVar(&smtpUser, "smtp-user", "", "user at the SMTP server; if empty, there is no authentication")
	flags.StringVar(&from, "smtp-from", "", "sender's mail `address`")
	flags.StringVar(&to, "smtp-to", "", "comma-separated mail `addresses` to notify; each gets a separate mail")
	flags.DurationVar(&cfg.retry, "retry", time.Second, "delay after the first failure to send a notice or to subscribe; it doubles with each failure, up to 10m")
	flags.DurationVar(&cfg.blockTimeout, "block-timeout", 10*time.Minute, "how long a failing notice blocks later ones of its site to the same target before they overtake it; at most 1h")
	flags.Var(&jobs, "job", "`name` of a triggered WebJob whose missed runs are looked for, at all sites, or at one: app.scm.azurewebsites.net/nightly; for several, repeat the flag")
	cfg.missed.define(flags, "deployments and runs of -job")
	flags.BoolVar(&cfg.unsubscribe, "unsubscribe", false, "remove this program's hooks from the site and exit")
	flags.BoolVar(&cfg.check, "check", false, "check the flags, the secrets, the database and the sign-in at the sites and the SMTP server, and exit")
	flags.BoolVar(&cfg.test, "test", false, "send one test notice to each target and exit")
	flags.BoolVar(&cfg.version, "version", false, "print the version and exit")
	if err := parseFlags(flags, usage, stderr, args); err != nil {
		return nil, err
	}
	if cfg.version {
		return cfg, nil
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q: only flags are accepted; see -help", flags.Arg(0))
	}

	var sitesErr, publicErr, passwordsErr, guardErr, rulesErr, targetsErr, missedErr, otherErr error
	cfg.sites, sitesErr = readSites(sites, users, getenv)
	cfg.public, publicErr = readURL("-url", cfg.public)
	if !cfg.unsubscribe {
		cfg.passwords, passwordsErr = readPasswords(getenv)
		cfg.guard, guardErr = readGuard(getenv, cfg.adminAddr)
		cfg.rules, rulesErr = readRules(on)
		cfg.targets, targetsErr = readTargets(getenv, mention, server, smtpUser, from, to)
		missedErr = cfg.checkMissed(jobs)
		switch {
		case cfg.retry <= 0:
			otherErr = errors.New("-retry must be greater than 0s")
		case cfg.blockTimeout < 0 || cfg.blockTimeout > time.Hour:
			otherErr = errors.New("-block-timeout must be from 0s to 1h")
		}
	}
	return cfg, errors.Join(sitesErr, publicErr, passwordsErr, guardErr, rulesErr, targetsErr, missedErr, otherErr)
}

// hooks returns the hooks to create at a site. Their URLs have the first
// password, the site, because a body does not always name it, and the channel if
// one is set. To unsubscribe, only the paths matter.
func (c *config) hooks(at site) []kudu.Hook {
	u, _ := url.Parse(c.public) // already validated
	if len(c.passwords) > 0 {
		u.User = url.UserPassword("hook", string(c.passwords[0].Reveal()))
	}
	query := url.Values{"site": {at.host()}}
	if c.channel != "" {
		query.Set("channel", c.channel)
	}
	u.RawQuery = query.Encode()
	hooks := make([]kudu.Hook, len(events))
	for i, e := range events {
		hooks[i] = kudu.Hook{Event: e.name, URL: u.JoinPath(e.path).String()}
	}
	return hooks
}

// readURL validates and normalizes a URL: scheme and host in lower case, and no
// slash at the end. It accepts https, and http only on this machine, because
// passwords are sent to the URL.
func readURL(name, text string) (string, error) {
	if text == "" {
		return "", fmt.Errorf("%s is missing; see -help", name)
	}
	u, err := url.Parse(text)
	if err == nil {
		u.Host = strings.ToLower(u.Host)
	}
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("%s is not a URL of scheme and host, such as https://example.com", name)
	case u.Scheme == "http" && u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback():
		return "", fmt.Errorf("%s is not https: passwords would be sent unencrypted", name)
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// readPasswords rejects passwords that Kudu would not send unchanged: Kudu decodes
// nothing in a URL, and fails if the password has a colon.
func readPasswords(getenv func(string) string) ([]webhook.Secret, error) {
	passwords, err := readSecrets(getenv, passwordName)
	if err == nil && len(passwords) == 0 {
		err = errors.New("KUDU_WEBHOOK_PASSWORD is not set; create one: export KUDU_WEBHOOK_PASSWORD=$(openssl rand -hex 32)")
	}
	for _, one := range passwords {
		if strings.Trim(strings.ToLower(string(one.Reveal())), "0123456789abcdefghijklmnopqrstuvwxyz-_") != "" {
			return nil, errors.New("KUDU_WEBHOOK_PASSWORD must have only letters, digits, - and _, and several of them are written on separate lines; create one: openssl rand -hex 32")
		}
	}
	return passwords, err
}

// passwordName is the variable of the passwords that the sites send.
const passwordName = "KUDU_WEBHOOK_PASSWORD"

func readRules(list string) (map[string]bool, error) {
	rules := make(map[string]bool)
	for rule := range strings.SplitSeq(list, ",") {
		switch rule = strings.TrimSpace(rule); rule {
		case failure, recovery, success:
			rules[rule] = true
		default:
			return nil, fmt.Errorf("-on: %q is not one of failure, recovery, success", rule)
		}
	}
	return rules, nil
}
