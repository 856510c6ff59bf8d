package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// settings holds the values of the flags.
type settings struct {
	addr, database, secretFile string
	json                       bool

	api, tokenFile, tokenHeader string
	rehost                      bool
	apiTimeout, apiWait         time.Duration
	logBytes                    int

	exec        string
	execTimeout time.Duration
}

func parseSettings(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("jobserv-ci", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage); flags.PrintDefaults() }
	flags.StringVar(&s.addr, "addr", ":8080", "address to listen on")
	flags.StringVar(&s.database, "db", "jobserv-ci.db", "SQLite file or postgres:// URL")
	flags.StringVar(&s.secretFile, "secret-file", "webhook-secret", "`file` with the webhook's secret; to rotate it, write the old and the new one on separate lines")
	flags.BoolVar(&s.json, "json", false, "print one JSON line for each build")
	flags.StringVar(&s.api, "api", "", "`URL` of JobServ's API, such as https://api.foundries.io; details are fetched only from its host (default: no details are fetched)")
	flags.StringVar(&s.tokenFile, "token-file", "", "`file` with the token for the API (default: no token is sent)")
	flags.StringVar(&s.tokenHeader, "token-header", "OSF-TOKEN", "`header` for the token; if empty, Authorization with Bearer")
	flags.BoolVar(&s.rehost, "rehost", false, "replace the host of every API URL by that of -api, for a JobServ whose notifications name it http://lci-web")
	flags.DurationVar(&s.apiTimeout, "api-timeout", 10*time.Second, "timeout of one API call")
	flags.DurationVar(&s.apiWait, "api-wait", 30*time.Second, "how long after its arrival a build may wait for the API to catch up; at most 1h")
	flags.IntVar(&s.logBytes, "log-bytes", 4096, "how many `bytes` of the end of a failed run's console log are fetched; 0 means none")
	flags.StringVar(&s.exec, "exec", "", "`program` with arguments to run for each build; it gets the JSON line on standard input and the main fields in JOBSERV_* variables")
	flags.DurationVar(&s.execTimeout, "exec-timeout", 10*time.Minute, "timeout of one run of -exec")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("unexpected argument %q: only flags are accepted; see -help", flags.Arg(0))
	case s.apiTimeout <= 0 || s.execTimeout <= 0:
		return s, errors.New("-api-timeout and -exec-timeout must be greater than 0s")
	case s.apiWait < 0 || s.apiWait > time.Hour:
		return s, errors.New("-api-wait must be from 0s to 1h")
	case s.logBytes < 0:
		return s, errors.New("-log-bytes must not be negative")
	case s.api == "" && (s.tokenFile != "" || s.rehost):
		return s, errors.New("-token-file and -rehost require -api")
	}
	return s, nil
}

// readSecrets reads secrets from a file, one per line. It trims white space,
// because editors and echo end a file with a newline that is not part of the
// secret.
func readSecrets(file string) ([]webhook.Secret, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w; create a secret: openssl rand -hex 32 > %s", err, file)
	}
	if err != nil {
		return nil, err
	}
	var secrets []webhook.Secret
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			secrets = append(secrets, webhook.NewSecret(line))
		}
	}
	if len(secrets) == 0 {
		return nil, fmt.Errorf("%s is empty; create a secret: openssl rand -hex 32 > %s", file, file)
	}
	return secrets, nil
}
