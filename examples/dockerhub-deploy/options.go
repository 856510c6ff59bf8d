package main

import (
	"context"
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
	script                   string
	composeFiles             []string
	variables                []string // that docker or the script gets too
	quiet, within, steady    time.Duration
	deployWithin, lease      time.Duration
}

// settling bounds putting a target right: the old containers are started, and
// new ones may be waited for before.
func (o options) settling() time.Duration { return o.within + o.steady + 2*time.Minute }

// longest bounds one attempt: what an earlier one left is put right, a pull or the
// script runs, the new container is waited for, and that is put right.
func (o options) longest() time.Duration { return o.deployWithin + 3*o.settling() }

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
	flags.Func("compose", "deploy services of this Compose `file` instead of containers; may be repeated, the later ones add to the first", repeated(&o.composeFiles))
	flags.StringVar(&o.script, "exec", "", "deploy by running this `program` instead, with the facts in HOOKHOUSE_* variables")
	flags.Func("env", "`name` of a variable that docker or the program gets too, such as one that the Compose file uses; may be repeated", repeated(&o.variables))
	flags.DurationVar(&o.quiet, "quiet", dockerhub.DefaultCoalesce.Quiet, "how long calls for an image must be quiet before one deploy")
	flags.DurationVar(&o.within, "healthy-within", 2*time.Minute, "how long a new container's health check may take to pass")
	flags.DurationVar(&o.steady, "steady", 10*time.Second, "how long a new container without a health check must run")
	flags.DurationVar(&o.deployWithin, "deploy-within", 15*time.Minute, "how long one command of docker, such as a pull, or the program of -exec may take before it is killed and tried again")
	flags.DurationVar(&o.lease, "lease", 10*time.Second, "how long the work of a killed process waits")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("takes only flags, not %q; see -help", flags.Arg(0))
	case len(o.rules) == 0:
		return o, errNoRules
	case len(o.composeFiles) > 0 && o.script != "":
		return o, errors.New("-compose and -exec exclude each other")
	case o.quiet <= 0 || o.within <= 0 || o.steady <= 0 || o.deployWithin <= 0 || o.lease < time.Second:
		return o, errors.New("-quiet, -healthy-within, -steady and -deploy-within must be positive, -lease at least 1s")
	}
	for _, name := range o.variables {
		if _, ok := os.LookupEnv(name); !ok {
			return o, fmt.Errorf("-env %s: there is no such variable", name)
		}
	}
	return o, nil
}

// repeated is a flag that may be repeated.
func repeated(values *[]string) func(string) error {
	return func(v string) error {
		*values = append(*values, v)
		return nil
	}
}

// newStrategy finds the programs that will be run, so that a missing one is
// known at the start.
func (o options) newStrategy(ctx context.Context, l *ledger, log *slog.Logger) (strategy, error) {
	if o.script != "" {
		path, err := exec.LookPath(o.script)
		if err != nil {
			return nil, fmt.Errorf("-exec: %w", err)
		}
		return &script{command{path, environment(append(o.variables, scriptEnvironment...)...), o.deployWithin}}, nil
	}
	path, err := exec.LookPath("docker")
	if err != nil {
		return nil, fmt.Errorf("the docker program is needed: %w", err)
	}
	e := &engine{command{path, environment(append(o.variables, dockerEnvironment...)...), o.deployWithin}, o.within, o.steady}
	if len(o.composeFiles) == 0 {
		return &docker{e, log}, nil
	}
	c, err := newCompose(ctx, e, o.composeFiles, l, log)
	if err != nil {
		return nil, fmt.Errorf("-compose: %w", err)
	}
	return c, nil
}

const usage = `Deploys what is pushed to Docker Hub.

A rule says which tags of a repository replace which container:

    acme/app:1.4.0=web       this tag
    acme/app:latest=web      this tag, each time that it moves
    acme/app:nightly-*=web   a glob; the tag pushed last wins
    acme/app:^1.4=web        a range of versions (~2.0, >=1.2 <3); the highest wins, pre-releases with ^1.4-0

Without -compose and -exec the container is replaced by one of the same configuration.

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
