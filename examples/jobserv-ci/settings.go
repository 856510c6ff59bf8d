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

// settings are the flags.
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
	flags.StringVar(&s.secretFile, "secret-file", "webhook-secret", "file with the webhook's secret; while it is changed, the old and the new one, each on a line")
	flags.BoolVar(&s.json, "json", false, "print one JSON line for each build")
	flags.StringVar(&s.api, "api", "", "JobServ's API, such as https://api.foundries.io, the only host to fetch from (default: nothing is fetched)")
	flags.StringVar(&s.tokenFile, "token-file", "", "file with the token for the API (default: none is sent)")
	flags.StringVar(&s.tokenHeader, "token-header", "OSF-TOKEN", "header of the token; empty: Authorization, as Bearer")
	flags.BoolVar(&s.rehost, "rehost", false, "ask -api for whatever host a notification names: for a JobServ that calls itself http://lci-web")
	flags.DurationVar(&s.apiTimeout, "api-timeout", 10*time.Second, "time for one call of the API")
	flags.DurationVar(&s.apiWait, "api-wait", 30*time.Second, "how long after its arrival a build waits for an API that does not tell yet, 1h at most")
	flags.IntVar(&s.logBytes, "log-bytes", 4096, "how much of the end of a failed run's console log is fetched; 0: none")
	flags.StringVar(&s.exec, "exec", "", "program, with arguments, to run for each build: its JSON line is standard input, JOBSERV_* tell the main things")
	flags.DurationVar(&s.execTimeout, "exec-timeout", 10*time.Minute, "time for one run of -exec")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("takes only flags, not %q; see -help", flags.Arg(0))
	case s.apiTimeout <= 0 || s.execTimeout <= 0:
		return s, errors.New("-api-timeout and -exec-timeout must be more than 0s")
	case s.apiWait < 0 || s.apiWait > time.Hour:
		return s, errors.New("-api-wait must be from 0s to 1h")
	case s.logBytes < 0:
		return s, errors.New("-log-bytes must not be negative")
	case s.api == "" && (s.tokenFile != "" || s.rehost):
		return s, errors.New("-token-file and -rehost are of use with -api only")
	}
	return s, nil
}

// readSecrets reads the secrets of a file, one a line, less the white space
// around them: editors and echo end a file with a newline, which is not part of
// the secret.
func readSecrets(file string) ([]webhook.Secret, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w; make one: openssl rand -hex 32 > %s", err, file)
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
		return nil, fmt.Errorf("%s is empty; make a secret: openssl rand -hex 32 > %s", file, file)
	}
	return secrets, nil
}
