package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/webhook"
)

// options are the flags.
type options struct {
	addr, database, registry string
	rules                    rules
	composeFile, script      string
	scriptVariables          []string
	quiet, within, steady    time.Duration
	lease                    time.Duration
}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	o := options{rules: make(rules)}
	flags := flag.NewFlagSet("dockerhub-deploy", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage); flags.PrintDefaults() }
	flags.StringVar(&o.addr, "addr", ":8080", "`address` to listen on")
	flags.StringVar(&o.database, "db", "dockerhub-deploy.db", "SQLite `file` or postgres:// URL, of this host alone")
	flags.StringVar(&o.registry, "registry", "", "`host` of the registry (default Docker Hub)")
	flags.Func("watch", "`image:tag=container` to deploy; may be repeated", o.rules.add)
	flags.Func("rules", "`file` of such rules, one a line", o.rules.addFile)
	flags.StringVar(&o.composeFile, "compose", "", "deploy services of this Compose `file` instead of containers")
	flags.StringVar(&o.script, "exec", "", "deploy by running this `program` instead, with the facts in HOOKHOUSE_* variables")
	flags.Func("exec-env", "`name` of a variable that the program gets as well; may be repeated", func(name string) error {
		o.scriptVariables = append(o.scriptVariables, name)
		return nil
	})
	flags.DurationVar(&o.quiet, "quiet", dockerhub.DefaultCoalesce.Quiet, "how long calls for an image must be quiet before one deploy")
	flags.DurationVar(&o.within, "healthy-within", 2*time.Minute, "how long a new container's health check may take to pass")
	flags.DurationVar(&o.steady, "steady", 10*time.Second, "how long a new container without a health check must run")
	flags.DurationVar(&o.lease, "lease", 10*time.Second, "how long the work of a killed process waits")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("takes only flags, not %q; see -help", flags.Arg(0))
	case len(o.rules) == 0:
		return o, errNoRules
	case o.composeFile != "" && o.script != "":
		return o, errors.New("-compose and -exec exclude each other")
	case len(o.scriptVariables) > 0 && o.script == "":
		return o, errors.New("-exec-env is for -exec")
	case o.quiet <= 0 || o.within <= 0 || o.steady <= 0 || o.lease < time.Second:
		return o, errors.New("-quiet, -healthy-within and -steady must be positive, -lease at least 1s")
	}
	return o, nil
}

// newStrategy finds the programs that will be run, so that a missing one is
// known at the start.
func (o options) newStrategy(l *ledger, log *slog.Logger) (strategy, error) {
	if o.script != "" {
		path, err := exec.LookPath(o.script)
		if err != nil {
			return nil, fmt.Errorf("-exec: %w", err)
		}
		return &script{command{path: path, env: environment(append(o.scriptVariables, scriptEnvironment...)...)}}, nil
	}
	path, err := exec.LookPath("docker")
	if err != nil {
		return nil, fmt.Errorf("the docker program is needed: %w", err)
	}
	e := &engine{command{path: path, env: environment(dockerEnvironment...)}, o.within, o.steady}
	if o.composeFile == "" {
		return &docker{e, log}, nil
	}
	if _, err := os.ReadFile(o.composeFile); err != nil {
		return nil, fmt.Errorf("-compose: %w", err)
	}
	return newCompose(e, o.composeFile, l, log)
}

const usage = `Deploys what is pushed to Docker Hub.

A rule says which tags of a repository replace which container:

    acme/app:1.4.0=web       this tag
    acme/app:latest=web      this tag, each time that it moves
    acme/app:nightly-*=web   a glob; the tag pushed last wins
    acme/app:^1.4=web        a range of versions (~2.0, >=1.2 <3); the highest wins, pre-releases with ^1.4-0

The token of the webhook's URL comes from DOCKERHUB_WEBHOOK_TOKEN, or from the file that DOCKERHUB_WEBHOOK_TOKEN_FILE
names; several, separated by commas, while one is changed. Credentials of the registry are those of "docker login", or
REGISTRY_USERNAME and REGISTRY_PASSWORD for asking it.

`

// readTokens reads the live tokens.
func readTokens(getenv func(string) string) ([]webhook.Secret, error) {
	const name = "DOCKERHUB_WEBHOOK_TOKEN"
	list, file := getenv(name), getenv(name+"_FILE")
	switch {
	case list != "" && file != "":
		return nil, fmt.Errorf("both %s and %s_FILE are set", name, name)
	case list == "" && file == "":
		return nil, fmt.Errorf("%s is not set. Make one and put it at the end of the webhook's URL: export %s=$(openssl rand -hex 32)", name, name)
	case file != "":
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s_FILE: %w", name, err)
		}
		list = strings.TrimSpace(string(text))
	}
	var live []webhook.Secret
	for item := range strings.SplitSeq(list, ",") {
		if item == "" || strings.ContainsAny(item, " \t\r\n/?#%") {
			return nil, fmt.Errorf("%s holds an empty token, or one that a URL cannot hold: letters and digits are best", name)
		}
		live = append(live, webhook.NewSecret(item))
	}
	return live, nil
}
