package main

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/addrguard"
)

// connections is the number of connections to the database.
const connections = 16

// The variables with the secrets.
const (
	passwordName = "GUESTBOOK_PASSWORD"
	sealKeyName  = "GUESTBOOK_SEAL_KEY"
)

// usage is the text of -help before the flags.
const usage = `Serves a guestbook at /, and the management of its webhooks at /webhooks. Webhooks get a signed request for each comment.
GET /healthz answers 503, with the reason, if comments cannot be stored.

    GUESTBOOK_PASSWORD       password of the management, at least 16 characters; to rotate it, write the new and the old
                             one on separate lines. The user name does not matter. A process with -worker needs none.
    GUESTBOOK_PASSWORD_FILE  file with the password, instead
    GUESTBOOK_SEAL_KEY       key that seals the secrets of webhooks in the database: openssl rand -base64 32. To rotate
                             it, write the new and the old one on separate lines. Without it they are in clear text.
    GUESTBOOK_SEAL_KEY_FILE  file with the key, instead
    AMQP_URL                 amqp:// or amqps:// URL of RabbitMQ with its password, in place of -amqp, of a cluster one on
                             each line; or AMQP_URL_FILE
    INSPECTOR_PASSWORD       password of the inspector, or INSPECTOR_PASSWORD_FILE; not needed if -admin-addr is on this
                             machine alone, such as 127.0.0.1:8081

`

// A config holds the validated values of the flags and of the environment.
type config struct {
	addr, adminAddr string
	database        string
	worker, web     bool
	broker          *broker // nil: events do not pass through RabbitMQ
	passwords       []webhook.Secret
	sealKeys        []webhook.Key
	guard           *addrguard.Guard
	inspectorGuard  guard
	check, declare  bool // do only that
	version         bool // as well
}

func readConfig(args []string, getenv func(string) string) (*config, error) {
	cfg := new(config)
	flags := flag.NewFlagSet("guestbook", flag.ContinueOnError)
	flags.StringVar(&cfg.addr, "addr", ":8080", "address to listen on")
	flags.StringVar(&cfg.adminAddr, "admin-addr", "", "address for /healthz, /metrics and the inspector, /inspect/; if empty, -addr serves /healthz")
	flags.StringVar(&cfg.database, "db", "guestbook.db", "SQLite file or postgres:// URL")
	flags.BoolVar(&cfg.web, "web", false, "serve the pages and send nothing: processes with -worker do")
	flags.BoolVar(&cfg.worker, "worker", false, "send to the webhooks and serve no pages; any number of processes may")
	allow := flags.String("allow", "", "comma-separated `list` of private addresses that webhooks may have, such as 10.0.0.0/8 or 127.0.0.1")
	insecure := flags.Bool("insecure-http", false, "allow webhooks with http: everyone on the way can read the comments")
	url := flags.String("amqp", "", "`URL` of RabbitMQ, through which events pass to the processes that send; a password is better in AMQP_URL")
	queue := flags.String("queue", "guestbook", "`name` of the queue in RabbitMQ, of this guestbook alone")
	flags.BoolVar(&cfg.declare, "declare", false, "create the queue in RabbitMQ, and exit")
	flags.BoolVar(&cfg.check, "check", false, "check the flags, the secrets, the database and RabbitMQ, and exit")
	flags.BoolVar(&cfg.version, "version", false, "print the version and exit")
	if err := parseFlags(flags, usage, os.Stderr, args); err != nil || cfg.version {
		return cfg, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q: only flags are accepted; see -help", flags.Arg(0))
	}
	var otherErr, brokerErr, passwordErr, sealErr, inspectorErr, allowErr error
	cfg.broker, brokerErr = readBroker(*url, *queue, getenv)
	switch {
	case cfg.web && cfg.worker:
		otherErr = errors.New("-web and -worker exclude each other: without them, a process serves and sends")
	case cfg.declare && (cfg.web || cfg.worker || cfg.check):
		otherErr = errors.New("-declare creates the queue and exits: it excludes -web, -worker and -check")
	case cfg.declare && cfg.broker == nil && brokerErr == nil:
		otherErr = errors.New("-declare needs the URL of RabbitMQ, in -amqp or " + brokerName)
	case cfg.broker != nil && !cfg.declare && !isPostgres(cfg.database):
		otherErr = fmt.Errorf("%s needs a -db that is a postgres:// URL: events pass to processes elsewhere, which cannot read a SQLite file", cfg.broker.setting)
	}
	cfg.passwords, passwordErr = readSecrets(getenv, passwordName)
	if passwordErr == nil && len(cfg.passwords) == 0 && !cfg.worker && !cfg.declare {
		passwordErr = errors.New(passwordName + " is not set; create one: openssl rand -hex 32")
	}
	cfg.sealKeys, sealErr = readSealKeys(getenv)
	cfg.inspectorGuard, inspectorErr = readGuard(getenv, cfg.adminAddr)
	prefixes, allowErr := readPrefixes(*allow)
	cfg.guard = &addrguard.Guard{Allow: prefixes, InsecureHTTP: *insecure}
	return cfg, errors.Join(otherErr, brokerErr, passwordErr, sealErr, inspectorErr, allowErr)
}

// minSealKey is the smallest length of a key that seals: 32 bytes.
const minSealKey = 32

// readSealKeys returns the keys that seal secrets. The first one seals, and all of them
// open. Each is labeled by its first characters in the digest, so that its place in the list
// does not matter.
func readSealKeys(getenv func(string) string) (keys []webhook.Key, err error) {
	lines, err := secretLines(getenv, sealKeyName)
	for i, line := range lines {
		if len(line) < minSealKey {
			return nil, fmt.Errorf("%s: key %d of %d has fewer than %d characters; create one: openssl rand -base64 32", sealKeyName, i+1, len(lines), minSealKey)
		}
		keys = append(keys, webhook.Key{Label: labelOf(line), Secret: webhook.NewSecret(line)})
	}
	return keys, err
}

// readPrefixes returns the networks in a list. An address is a network of one.
func readPrefixes(list string) (prefixes []netip.Prefix, err error) {
	for text := range strings.SplitSeq(list, ",") {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if addr, addrErr := netip.ParseAddr(text); addrErr == nil {
			prefix, err = addr.Prefix(addr.BitLen())
		}
		if err != nil {
			return nil, fmt.Errorf("-allow: %q is no network such as 10.0.0.0/8 and no address", text)
		}
		prefixes = append(prefixes, prefix)
	}
	return prefixes, nil
}
