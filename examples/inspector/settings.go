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
	"net/netip"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/addrguard"
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

// passwordName is the variable with the password.
const passwordName = "INSPECTOR_PASSWORD"

const (
	// maxHeader bounds the headers of a call, and largestBody the value of -max-body.
	maxHeader   = 64 << 10
	largestBody = 25 << 20
	// keep is how long a capture is kept at most.
	keep = 7 * 24 * time.Hour
)

// usage is the text of -help before the flags.
const usage = `A RequestBin of one's own: captures calls of any method to /in/{name}, answers them as the bin says, and shows them
at /. Bins are made and set at /bins. GET /healthz answers 503, with the reason, if captures cannot be stored.

    INSPECTOR_PASSWORD       password of all but /in/ and /healthz, at least 16 characters; to rotate it, write the new and
                             the old one on separate lines. Without it, the pages are for this machine alone.
    INSPECTOR_PASSWORD_FILE  file with the password, instead

`

// settings holds the values of the flags and of the environment.
type settings struct {
	addr, inAddr, database     string
	open, allowPrivate         bool
	maxBody, maxBytes          int64
	maxBins, maxCaptures, rate int
	expire                     time.Duration
	passwords                  []webhook.Secret
	check, version             bool // do only that
}

func parseSettings(args []string, getenv func(string) string, stderr io.Writer) (*settings, error) {
	s := new(settings)
	flags := flag.NewFlagSet("inspector", flag.ContinueOnError)
	flags.StringVar(&s.addr, "addr", "127.0.0.1:8080", "address to listen on; one that is not of this machine alone needs a password")
	flags.StringVar(&s.inAddr, "in-addr", "", "address that serves /in/ alone; if empty, -addr serves it")
	flags.StringVar(&s.database, "db", "", "SQLite file or postgres:// URL, for one process; if empty, all is in memory")
	flags.BoolVar(&s.open, "open", false, "make a bin when it is called first, by anybody; otherwise that is answered 404")
	flags.BoolVar(&s.allowPrivate, "allow-private", false, "let bins forward to this host and to private networks, and by http")
	flags.Int64Var(&s.maxBody, "max-body", 1<<20, "largest body that is stored, in `bytes`, up to 25 MiB")
	flags.Int64Var(&s.maxBytes, "max-bytes", 128<<20, "`bytes` of all captures together; the oldest ones of the bin with the most are deleted first")
	flags.IntVar(&s.maxBins, "max-bins", 100, "number of bins")
	flags.IntVar(&s.maxCaptures, "max-captures", 500, "number of captures and answers in a bin; the oldest ones are deleted first")
	flags.IntVar(&s.rate, "rate", 10, "calls that a bin takes in a second")
	flags.DurationVar(&s.expire, "expire", 24*time.Hour, "how long a bin of -open is kept, up to 720h")
	flags.BoolVar(&s.check, "check", false, "check the flags, the password and the database, and exit")
	flags.BoolVar(&s.version, "version", false, "print the version and exit")
	if err := parseFlags(flags, usage, stderr, args); err != nil || s.version {
		return s, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q: only flags are accepted; see -help", flags.Arg(0))
	}
	var passwordErr error
	s.passwords, passwordErr = readSecrets(getenv, passwordName)
	return s, errors.Join(passwordErr, s.validate(passwordErr == nil))
}

// validate returns what is wrong with the flags. If asked, it demands a password where one is
// needed.
func (s *settings) validate(passwordRead bool) error {
	var errs []error
	say := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.maxBody < 1 || s.maxBody > largestBody {
		say("-max-body is %d, not 1 to %d bytes", s.maxBody, largestBody)
	}
	if least := 4 * (max(s.maxBody, maxAnswer) + maxHeader); s.maxBytes < least {
		say("-max-bytes is %d, less than four large captures, %d bytes", s.maxBytes, least)
	}
	for _, n := range []struct {
		flag           string
		is, from, most int
	}{
		{"-max-bins", s.maxBins, 1, 10_000}, {"-max-captures", s.maxCaptures, 2, 10_000}, {"-rate", s.rate, 1, 10_000},
	} {
		if n.is < n.from || n.is > n.most {
			say("%s is %d, not %d to %d", n.flag, n.is, n.from, n.most)
		}
	}
	if s.expire < time.Second || s.expire > longestLife {
		say("-expire is %v, not 1s to %v", s.expire, longestLife)
	}
	host, _, err := net.SplitHostPort(s.addr)
	switch {
	case err != nil:
		say("-addr: %w", err)
	case !isLoopback(host) && passwordRead && len(s.passwords) == 0:
		say("-addr %s can be reached from other machines, and %s is not set; create one: openssl rand -hex 32", s.addr, passwordName)
	}
	return errors.Join(errs...)
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// protect returns what decides who may use the pages: who knows one of the passwords, with
// any user name, or without a password who is on this machine.
func (s *settings) protect() inspect.Protect {
	if len(s.passwords) == 0 {
		return inspect.LoopbackOnly
	}
	return func(w http.ResponseWriter, r *http.Request) (string, bool) {
		name, given, _ := r.BasicAuth()
		for _, password := range s.passwords {
			if password.Equal([]byte(given)) { // in constant time
				return name, true
			}
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="inspector", charset="UTF-8"`)
		http.Error(w, "a password is needed, with any user name", http.StatusUnauthorized)
		return "", false
	}
}

// privateNetworks are those that -allow-private allows, without metadataServers.
var privateNetworks = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fc00::/7"),
}

// metadataServers are the addresses of clouds in private networks that give secrets to
// whoever calls them. Those in other networks are never called.
//
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
// https://cloud.google.com/compute/docs/metadata/querying-metadata
var metadataServers = []netip.Prefix{netip.MustParsePrefix("fd00:ec2::254/128"), netip.MustParsePrefix("fd20:ce::254/128")}

// guard returns what judges the addresses that bins forward to.
func (s *settings) guard() *addrguard.Guard {
	if !s.allowPrivate {
		return new(addrguard.Guard)
	}
	return &addrguard.Guard{Allow: privateNetworks, Deny: metadataServers, InsecureHTTP: true}
}

// An inbox stores captures.
type inbox interface {
	webhook.Inbox
	webhook.Admin
}

// openInbox opens the database of -db, or an inbox in memory, which has no table of bins.
func openInbox(ctx context.Context, s *settings, log *slog.Logger) (inbox, *binTable, func(), error) {
	if s.database == "" {
		return &webhook.MemInbox{
			MaxBytes: 2 * s.maxBytes, MaxDeliveries: 2 * s.maxBins * s.maxCaptures, // captures are deleted before that
			Retention: keep, DeadRetention: keep, Logger: log,
		}, nil, func() {}, nil
	}
	db, err := openStore(ctx, s.database)
	if err != nil {
		return nil, nil, nil, err
	}
	db.Retention, db.DeadRetention, db.Inbox.Logger = keep, keep, log
	table := &binTable{db}
	if err := table.create(ctx); err != nil {
		db.close()
		return nil, nil, nil, err
	}
	return db, table, db.close, nil
}
