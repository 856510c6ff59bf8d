package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

// usage is what -help says before the flags.
const usage = `Tells Slack, a mailbox or a URL how the deployments and WebJobs of an Azure site end.

Secrets come from the environment, or from the file that the same name with _FILE appended names:

    KUDU_PASSWORD          of -user at the site, or
    KUDU_TOKEN             a bearer token for the site
    KUDU_WEBHOOK_PASSWORD  what the site calls this program with; several, separated by commas, are live
                           at once, and the first is given to the site: openssl rand -hex 32;
                           not needed to -unsubscribe
    SLACK_WEBHOOK_URL      incoming webhook to tell
    SMTP_PASSWORD          of -smtp-user
    NOTIFY_URL             URL to tell

At least one of SLACK_WEBHOOK_URL, -smtp and NOTIFY_URL is needed.

The exit status is 78 where somebody has to mend something before another start is of use: a flag, a secret,
or what the site denies to a program that has never subscribed there. It is 1 for all other failures.

`

// A config is what the command line and the environment say, checked.
type config struct {
	addr, database string
	site, public   string
	credentials    kudu.CredentialsFunc
	passwords      []webhook.Secret
	channel        string
	rules          map[string]bool
	targets        []target
	retry, hold    time.Duration
	unsubscribe    bool
}

func readConfig(args []string, getenv func(string) string, stderr io.Writer) (*config, error) {
	cfg := new(config)
	var user, on, server, smtpUser, from, to string
	flags := flag.NewFlagSet("kudu-notify", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage); flags.PrintDefaults() }
	flags.StringVar(&cfg.addr, "addr", ":8080", "address to listen on")
	flags.StringVar(&cfg.database, "db", "kudu-notify.db", "SQLite file or postgres:// URL")
	flags.StringVar(&cfg.site, "site", "", "SCM `URL` of the site: https://app.scm.azurewebsites.net")
	flags.StringVar(&user, "user", "", "deployment user of the site, such as $app")
	flags.StringVar(&cfg.public, "url", "", "`URL` at which the site reaches this program: https://notify.example.com")
	flags.StringVar(&on, "on", "failure,recovery", "what to tell: `rules` of failure, recovery, success")
	flags.StringVar(&cfg.channel, "slack-channel", "", "channel other than the webhook's own")
	flags.StringVar(&server, "smtp", "", "SMTP server to send mail by: `host:port`")
	flags.StringVar(&smtpUser, "smtp-user", "", "user at the SMTP server; none: no authentication")
	flags.StringVar(&from, "smtp-from", "", "sender's mail `address`")
	flags.StringVar(&to, "smtp-to", "", "mail `addresses` to tell, separated by commas; each gets a mail of its own")
	flags.DurationVar(&cfg.retry, "retry", time.Second, "wait after the first failed try to tell or to subscribe; doubled each time up to 10m")
	flags.DurationVar(&cfg.hold, "hold", 10*time.Minute, "how long a notice that fails holds up later ones of its site at that target, 1h at most; they pass it then")
	flags.BoolVar(&cfg.unsubscribe, "unsubscribe", false, "remove this program's hooks from the site and exit")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("takes only flags, not %q; see -help", flags.Arg(0))
	}

	env := environment{getenv: getenv}
	var siteErr, publicErr, credentialsErr, retryErr, rulesErr, targetsErr error
	cfg.site, siteErr = readURL("-site", cfg.site)
	cfg.public, publicErr = readURL("-url", cfg.public)
	cfg.credentials, credentialsErr = readCredentials(env.secret("KUDU_PASSWORD"), env.secret("KUDU_TOKEN"), user)
	var passwordsErr error
	if !cfg.unsubscribe {
		cfg.passwords, passwordsErr = readPasswords(env.secret("KUDU_WEBHOOK_PASSWORD"))
		cfg.rules, rulesErr = readRules(on)
		cfg.targets, targetsErr = readTargets(&env, server, smtpUser, from, to)
		switch {
		case cfg.retry <= 0:
			retryErr = errors.New("-retry is not a positive time")
		case cfg.hold < 0 || cfg.hold > time.Hour: // what is held uses up attempts
			retryErr = errors.New("-hold is not from 0s to 1h")
		}
	}
	return cfg, errors.Join(env.err, siteErr, publicErr, credentialsErr, passwordsErr, rulesErr, targetsErr, retryErr)
}

// hooks are those that the site is to have: our paths with the first password,
// the site, since a body does not always tell it, and the channel where there is
// one. To unsubscribe the paths are enough.
func (c *config) hooks() []kudu.Hook {
	u, _ := url.Parse(c.public) // checked
	if len(c.passwords) > 0 {
		u.User = url.UserPassword("hook", string(c.passwords[0].Reveal()))
	}
	site, _ := url.Parse(c.site) // checked
	query := url.Values{"site": {site.Host}}
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

// readURL wants https, or http on this machine, since passwords go along. What
// it returns is the same however the URL is spelt: scheme and host in lower case,
// and no slash at the end.
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
		return "", fmt.Errorf("%s is not https, so that passwords would be sent in the clear", name)
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func readCredentials(password, token webhook.Secret, user string) (kudu.CredentialsFunc, error) {
	switch {
	case password.IsZero() == token.IsZero():
		return nil, errors.New("set either KUDU_PASSWORD or KUDU_TOKEN, to sign in at the site")
	case !token.IsZero():
		return kudu.Bearer(token), nil
	case user == "":
		return nil, errors.New("KUDU_PASSWORD needs -user, such as '$app'")
	default:
		return kudu.Basic(user, password), nil
	}
}

// readPasswords refuses what Kudu would not send as it is: it decodes nothing
// and gives up at a colon.
func readPasswords(list webhook.Secret) ([]webhook.Secret, error) {
	if list.IsZero() {
		return nil, errors.New("KUDU_WEBHOOK_PASSWORD is not set: export KUDU_WEBHOOK_PASSWORD=$(openssl rand -hex 32)")
	}
	var live []webhook.Secret
	for one := range strings.SplitSeq(string(list.Reveal()), ",") {
		if len(one) < 16 || strings.Trim(strings.ToLower(one), "0123456789abcdefghijklmnopqrstuvwxyz-_") != "" {
			return nil, errors.New("KUDU_WEBHOOK_PASSWORD needs 16 letters and digits or more, and nothing else: openssl rand -hex 32")
		}
		live = append(live, webhook.NewSecret(one))
	}
	return live, nil
}

func readRules(list string) (map[string]bool, error) {
	rules := make(map[string]bool)
	for rule := range strings.SplitSeq(list, ",") {
		switch rule = strings.TrimSpace(rule); rule {
		case failure, recovery, success:
			rules[rule] = true
		default:
			return nil, fmt.Errorf("-on: %q is none of failure, recovery and success", rule)
		}
	}
	return rules, nil
}

func readTargets(env *environment, server, smtpUser, from, to string) ([]target, error) {
	var targets []target
	for _, t := range []struct {
		name string
		make func(webhook.Secret) target
	}{
		{"SLACK_WEBHOOK_URL", func(s webhook.Secret) target { return slack{s} }},
		{"NOTIFY_URL", func(s webhook.Secret) target { return plain{s} }},
	} {
		secret := env.secret(t.name)
		if secret.IsZero() {
			continue
		}
		if u, err := url.Parse(string(secret.Reveal())); err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, fmt.Errorf("%s is not an absolute http or https URL", t.name)
		}
		targets = append(targets, t.make(secret))
	}
	password := env.secret("SMTP_PASSWORD")
	if server == "" {
		if smtpUser != "" || from != "" || to != "" {
			return nil, errors.New("-smtp is missing, where -smtp-user, -smtp-from or -smtp-to is given")
		}
	} else {
		mailboxes, err := newMailboxes(server, smtpUser, password, from, to)
		if err != nil {
			return nil, err
		}
		targets = append(targets, mailboxes...)
	}
	if len(targets) == 0 && env.err == nil {
		return nil, errors.New("nobody to tell: set SLACK_WEBHOOK_URL, -smtp or NOTIFY_URL")
	}
	return targets, nil
}

// newMailboxes returns one for each address.
func newMailboxes(server, user string, password webhook.Secret, from, to string) ([]target, error) {
	host, digits, err := net.SplitHostPort(server)
	port, portErr := strconv.ParseUint(digits, 10, 16)
	if err != nil || portErr != nil || host == "" || port == 0 {
		return nil, fmt.Errorf("-smtp %q is not host:port, such as smtp.example.com:587", server)
	}
	if (user == "") != password.IsZero() {
		return nil, errors.New("-smtp-user and SMTP_PASSWORD go together")
	}
	sender, err := mail.ParseAddress(from)
	if err != nil {
		return nil, fmt.Errorf("-smtp-from %q: %w", from, err)
	}
	list, err := mail.ParseAddressList(to)
	if err != nil {
		return nil, fmt.Errorf("-smtp-to %q: %w", to, err)
	}
	var mailboxes []target
	for _, recipient := range list {
		mailboxes = append(mailboxes, mailbox{host, int(port), user, password, sender.String(), *recipient})
	}
	return mailboxes, nil
}
