package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// settings holds the values of the flags.
type settings struct {
	addr, adminAddr, database, secretFile string
	json, check, version                  bool

	api, tokenFile, tokenHeader string
	rehost                      bool
	apiTimeout, apiWait         time.Duration
	logBytes                    int

	missed       missedFlags
	projects     projects
	onlyFailures bool

	exec                   string
	execTimeout, execBlock time.Duration
}

func parseSettings(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("jobserv-ci", flag.ContinueOnError)
	flags.StringVar(&s.addr, "addr", ":8080", "address to listen on")
	flags.StringVar(&s.adminAddr, "admin-addr", "", "address for /healthz, /metrics and the inspector, /inspect/; if empty, -addr serves /healthz and /metrics")
	flags.StringVar(&s.database, "db", "jobserv-ci.db", "SQLite file or postgres:// URL")
	flags.StringVar(&s.secretFile, "secret-file", "", "`file` with the webhook's secret (default webhook-secret, unless JOBSERV_WEBHOOK_SECRET or JOBSERV_WEBHOOK_SECRET_FILE is set)")
	flags.BoolVar(&s.json, "json", false, "print one JSON line for each build")
	flags.StringVar(&s.api, "api", "", "`URL` of JobServ's API, such as https://api.foundries.io; details are fetched only from its host (default: no details are fetched)")
	flags.StringVar(&s.tokenFile, "token-file", "", "`file` with the token for the API, instead of JOBSERV_API_TOKEN or JOBSERV_API_TOKEN_FILE (default: no token is sent)")
	flags.StringVar(&s.tokenHeader, "token-header", "OSF-TOKEN", "`header` for the token; if empty, Authorization with Bearer")
	flags.BoolVar(&s.rehost, "rehost", false, "replace the host of every API URL by that of -api, for a JobServ whose notifications name it http://lci-web")
	flags.DurationVar(&s.apiTimeout, "api-timeout", 10*time.Second, "timeout of one API call")
	flags.DurationVar(&s.apiWait, "api-wait", 30*time.Second, "how long after its arrival a build may wait for the API to catch up; at most 1h")
	flags.IntVar(&s.logBytes, "log-bytes", 4096, "how many `bytes` of the end of a failed run's console log are fetched; 0 means none")
	flags.Var(&s.projects, "project", "`name` of a project, such as acme/lmp, of which missed builds are read from -api; for several, repeat the flag")
	flags.BoolVar(&s.onlyFailures, "only-failures", false, "only builds that did not pass can be missed: JobServ calls for no others, since the webhook has only_failures")
	s.missed.define(flags, "builds")
	flags.StringVar(&s.exec, "exec", "", "`program` with arguments, separated by spaces, to run for each build, without a shell; it gets the JSON line on standard input and the main fields in JOBSERV_* variables")
	flags.DurationVar(&s.execTimeout, "exec-timeout", 10*time.Minute, "timeout of one run of -exec")
	flags.DurationVar(&s.execBlock, "exec-block-timeout", 10*time.Minute, "how long after its arrival a build whose -exec fails blocks later builds of its project before they overtake it; at most 3h")
	flags.BoolVar(&s.check, "check", false, "check the flags, the secrets and the database, and exit")
	flags.BoolVar(&s.version, "version", false, "print the version and exit")
	if err := parseFlags(flags, usage, stderr, args); err != nil {
		return s, err
	}
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("unexpected argument %q: only flags are accepted; see -help", flags.Arg(0))
	case s.apiTimeout <= 0 || s.execTimeout <= 0:
		return s, errors.New("-api-timeout and -exec-timeout must be greater than 0s")
	case s.apiWait < 0 || s.apiWait > time.Hour:
		return s, errors.New("-api-wait must be from 0s to 1h")
	case s.execBlock < 0 || s.execBlock > 3*time.Hour:
		return s, errors.New("-exec-block-timeout must be from 0s to 3h")
	case s.logBytes < 0:
		return s, errors.New("-log-bytes must not be negative")
	case s.api == "" && (s.tokenFile != "" || s.rehost || len(s.projects) > 0):
		return s, errors.New("-token-file, -rehost and -project require -api")
	}
	return s, s.missed.check()
}

// secretName and tokenName are the variables of the secrets. The flags -secret-file and
// -token-file name files instead.
const (
	secretName = "JOBSERV_WEBHOOK_SECRET"
	tokenName  = "JOBSERV_API_TOKEN"
)

// hookSecrets reads the secrets of the webhook. Without a variable and a flag, they are
// in the file webhook-secret.
func hookSecrets(s settings, getenv func(string) string) ([]webhook.Secret, error) {
	if s.secretFile == "" && getenv(secretName) == "" && getenv(secretName+"_FILE") == "" {
		s.secretFile = "webhook-secret"
	}
	getenv, err := withFile(getenv, secretName, "-secret-file", s.secretFile)
	if err != nil {
		return nil, err
	}
	secrets, err := readSecrets(getenv, secretName)
	if file := getenv(secretName + "_FILE"); errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%w; create a secret: openssl rand -hex 32 > %s", err, file)
	}
	return secrets, err
}

// withFile returns getenv with the file of a flag as the value of name_FILE. It returns
// getenv itself if file is empty, and an error if the flag is set in addition to a
// variable.
func withFile(getenv func(string) string, name, flag, file string) (func(string) string, error) {
	switch {
	case file == "":
		return getenv, nil
	case getenv(name) != "" || getenv(name+"_FILE") != "":
		return nil, fmt.Errorf("both %s and %s or %s_FILE are set; set only one", flag, name, name)
	}
	return func(variable string) string {
		if variable == name+"_FILE" {
			return file
		}
		return getenv(variable)
	}, nil
}
