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

// options holds the values of the flags.
type options struct {
	addr, database, registry              string
	rules                                 rules
	execProgram                           string
	composeFiles                          []string
	envNames                              []string // additional variables for docker or the program of -exec
	quietPeriod, healthTimeout, minUptime time.Duration
	commandTimeout, lease                 time.Duration
}

// recoverTimeout bounds the recovery of a target, which may wait for new
// containers and then start the old ones.
func (o options) recoverTimeout() time.Duration { return o.healthTimeout + o.minUptime + 2*time.Minute }

// attemptTimeout bounds one attempt: recovery from an earlier one, a pull or the
// program of -exec, the wait for the new container, and its recovery.
func (o options) attemptTimeout() time.Duration { return o.commandTimeout + 3*o.recoverTimeout() }

func parseOptions(args []string, stderr io.Writer) (options, error) {
	o := options{rules: make(rules)}
	flags := flag.NewFlagSet("dockerhub-deploy", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage); flags.PrintDefaults() }
	flags.StringVar(&o.addr, "addr", ":8080", "`address` to listen on")
	flags.StringVar(&o.database, "db", "dockerhub-deploy.db", "SQLite `file` or postgres:// URL, used by this host only")
	flags.StringVar(&o.registry, "registry", "", "`host` of the registry (default Docker Hub)")
	flags.Func("watch", "`image:tag=container` to deploy; may be repeated", o.rules.add)
	flags.Func("rules", "`file` of such rules, one per line", o.rules.addFile)
	flags.Func("compose", "deploy services of this Compose `file` instead of containers; may be repeated, later files extend earlier ones", appendTo(&o.composeFiles))
	flags.StringVar(&o.execProgram, "exec", "", "deploy by running this `program`, with the details in HOOKHOUSE_* variables")
	flags.Func("env", "`name` of an additional environment variable for docker or the program of -exec, such as one that the Compose file uses; may be repeated", appendTo(&o.envNames))
	flags.DurationVar(&o.quietPeriod, "quiet-period", dockerhub.DefaultCoalesce.Quiet, "how long after the last request for an image it is deployed")
	flags.DurationVar(&o.healthTimeout, "health-timeout", 2*time.Minute, "timeout for the health check of a new container")
	flags.DurationVar(&o.minUptime, "min-uptime", 10*time.Second, "how long a new container without a health check must run to count as healthy")
	flags.DurationVar(&o.commandTimeout, "command-timeout", 15*time.Minute, "timeout of one docker command, such as a pull, or of the program of -exec; it is then killed and the deployment is retried")
	flags.DurationVar(&o.lease, "lease", 10*time.Second, "delay before the deliveries of a killed process run again")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q: only flags are accepted; see -help", flags.Arg(0))
	case len(o.rules) == 0:
		return o, errNoRules
	case len(o.composeFiles) > 0 && o.execProgram != "":
		return o, errors.New("-compose and -exec cannot be combined")
	case o.quietPeriod <= 0 || o.healthTimeout <= 0 || o.minUptime <= 0 || o.commandTimeout <= 0 || o.lease < time.Second:
		return o, errors.New("-quiet-period, -health-timeout, -min-uptime and -command-timeout must be greater than 0s, and -lease at least 1s")
	}
	for _, name := range o.envNames {
		if _, ok := os.LookupEnv(name); !ok {
			return o, fmt.Errorf("-env %s: the variable is not set", name)
		}
	}
	return o, nil
}

// appendTo returns the function of a flag that may be repeated.
func appendTo(values *[]string) func(string) error {
	return func(v string) error {
		*values = append(*values, v)
		return nil
	}
}

// newStrategy returns the strategy that the flags select. It looks up the programs
// to run, so that a missing one is reported at the start.
func (o options) newStrategy(ctx context.Context, states *stateStore, log *slog.Logger) (strategy, error) {
	if o.execProgram != "" {
		path, err := exec.LookPath(o.execProgram)
		if err != nil {
			return nil, fmt.Errorf("-exec: %w", err)
		}
		return &execStrategy{command{path, selectEnv(append(o.envNames, execEnvironment...)...), o.commandTimeout}}, nil
	}
	path, err := exec.LookPath("docker")
	if err != nil {
		return nil, fmt.Errorf("the docker program is required: %w", err)
	}
	e := &engine{command{path, selectEnv(append(o.envNames, dockerEnvironment...)...), o.commandTimeout}, o.healthTimeout, o.minUptime}
	if len(o.composeFiles) == 0 {
		return &dockerStrategy{e, log}, nil
	}
	c, err := newComposeStrategy(ctx, e, o.composeFiles, states, log)
	if err != nil {
		return nil, fmt.Errorf("-compose: %w", err)
	}
	return c, nil
}

const usage = `Deploys images that are pushed to Docker Hub.

A rule selects the tags of a repository that are deployed as a container:

    acme/app:1.4.0=web       this tag
    acme/app:latest=web      this tag, each time it is pushed
    acme/app:nightly-*=web   a glob; the tag pushed last wins
    acme/app:^1.4=web        a version range (~2.0, >=1.2 <3); the highest version wins; ^1.4-0 includes pre-releases

Without -compose and -exec, the container is replaced by one with the same configuration.

The token in the webhook's URL comes from DOCKERHUB_WEBHOOK_TOKEN, or from a file whose path is in DOCKERHUB_WEBHOOK_TOKEN_FILE.
To rotate it, list the old and the new one, separated by a comma. The credentials for the registry are those of
"docker login". To look up digests with others, set REGISTRY_USERNAME and REGISTRY_PASSWORD.

`

// readTokens reads the accepted tokens.
func readTokens(getenv func(string) string) ([]webhook.Secret, error) {
	const name = "DOCKERHUB_WEBHOOK_TOKEN"
	list, file := getenv(name), getenv(name+"_FILE")
	switch {
	case list != "" && file != "":
		return nil, fmt.Errorf("both %s and %s_FILE are set; set only one", name, name)
	case list == "" && file == "":
		return nil, fmt.Errorf("%s is not set; create one and append it to the webhook's URL: export %s=$(openssl rand -hex 32)", name, name)
	case file != "":
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s_FILE: %w", name, err)
		}
		list = strings.TrimSpace(string(text))
	}
	var tokens []webhook.Secret
	for item := range strings.SplitSeq(list, ",") {
		if item == "" || strings.ContainsAny(item, " \t\r\n/?#%") {
			return nil, fmt.Errorf("%s holds an empty token, or one with characters that a URL cannot contain; use letters and digits", name)
		}
		tokens = append(tokens, webhook.NewSecret(item))
	}
	return tokens, nil
}
