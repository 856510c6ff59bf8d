package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/registry"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/rule"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/target"
	"github.com/hookhouse/hookhouse/webhook"
)

// options holds the values of the flags.
type options struct {
	addr, adminAddr, database, registry   string
	rules                                 rule.Rules
	execProgram                           string
	execArgs                              []string
	composeFiles                          []string
	envNames                              []string // additional variables for docker or the program of -exec
	quietPeriod, healthTimeout, minUptime time.Duration
	commandTimeout, lease                 time.Duration
	poll, registryRetry                   time.Duration
	notifyURL, notifySlack, notifyExec    string
	check, version                        bool   // do only that
	printOptions                          string // name of a container; if not empty, do only that
}

// recoverTimeout bounds the recovery of a target, which may wait for new
// containers and then start the old ones.
func (o options) recoverTimeout() time.Duration {
	return o.healthTimeout + target.MaxStartPeriod + o.minUptime + 2*time.Minute
}

// attemptTimeout bounds one attempt: recovery from an earlier one, a pull or the
// program of -exec, the wait for the new container, and its recovery.
func (o options) attemptTimeout() time.Duration { return 2*o.commandTimeout + 3*o.recoverTimeout() }

const usage = `Deploys images that are pushed to Docker Hub.

A rule selects the tags of a repository, and names what is deployed:

    acme/app:1.4.0=run:web.options     this tag, as the container that the file web.options declares
    acme/app:latest=run:web.options    this tag, each time it is pushed
    acme/app:nightly-*=service:web     a glob, as a service of the Compose files; the tag pushed last wins
    acme/app:^1.4=exec:web             a version range (~2.0, >=1.2 <3), by the program of -exec; the highest version wins;
                                       ^1.4-0 includes pre-releases

The file web.options has the options of "docker run", one on each line, and --name among them:

    --name web
    --publish 8000:80
    --env GREETING=good morning

To begin with one, see -print-options. Arguments for the command follow after a line "--", one on each line.

Secrets come from the environment. To read one from a file, set NAME_FILE to the path of the file:

    DOCKERHUB_WEBHOOK_TOKEN    token in the webhook's URL, at least 16 characters; create one with openssl rand -hex 32.
                               To rotate it, write the new and the old one on separate lines.
    REGISTRY_PASSWORD          with REGISTRY_USERNAME, instead of the credentials of "docker login"
    NOTIFY_URL                 instead of -notify
    SLACK_WEBHOOK_URL          instead of -notify-slack
    INSPECTOR_PASSWORD         password of the inspector; not needed if -admin-addr is on this machine alone, such as
                               127.0.0.1:8081

`

func parseOptions(args []string, stderr io.Writer) (options, error) {
	o := options{rules: make(rule.Rules)}
	flags := flag.NewFlagSet("dockerhub-deploy", flag.ContinueOnError)
	watch := func(text string) error { return o.rules.Add(text, "") }
	flags.StringVar(&o.addr, "addr", ":8080", "`address` to listen on")
	flags.StringVar(&o.adminAddr, "admin-addr", "", "`address` for /healthz, /metrics and the inspector, /inspect/; if empty, -addr serves /healthz and /metrics")
	flags.StringVar(&o.database, "db", "dockerhub-deploy.db", "SQLite `file` or postgres:// URL, used by this host only")
	flags.StringVar(&o.registry, "registry", "", "`host` of the registry (default Docker Hub)")
	flags.Func("watch", "`rule`, such as acme/app:^1.4=run:web.options; may be repeated", watch)
	flags.Func("rules", "`file` of rules, one per line; the files that they name are relative to it", o.rules.AddFile)
	flags.Func("compose", "`file` of the services of rules; may be repeated, later files extend earlier ones", appendTo(&o.composeFiles))
	flags.StringVar(&o.execProgram, "exec", "", "`program` that deploys for rules of the kind exec, with the details in HOOKHOUSE_* variables")
	flags.Func("exec-arg", "`argument` for the program of -exec; may be repeated", appendTo(&o.execArgs))
	flags.Func("env", "`name` of an additional environment variable for docker or the program of -exec, such as one that the Compose file uses; may be repeated", appendTo(&o.envNames))
	flags.DurationVar(&o.poll, "poll", 0, "interval at which the registry is looked at for pushes that were missed, such as 1h; if 0, at the start only")
	flags.DurationVar(&o.registryRetry, "registry-retry", time.Minute, "first interval at which a registry that is away is asked again")
	flags.StringVar(&o.notifyURL, "notify", "", "`URL` to post results to, as JSON")
	flags.StringVar(&o.notifySlack, "notify-slack", "", "incoming webhook `URL` of Slack to post results to")
	flags.StringVar(&o.notifyExec, "notify-exec", "", "`program` to run for each result, with the result as JSON on its standard input")
	flags.DurationVar(&o.quietPeriod, "quiet-period", dockerhub.DefaultCoalesce.Quiet, "how long after the last request for an image it is deployed")
	flags.DurationVar(&o.healthTimeout, "health-timeout", 2*time.Minute, "timeout for the health check of a new container, after its start period")
	flags.DurationVar(&o.minUptime, "min-uptime", 10*time.Second, "how long a new container without a health check must run to count as healthy")
	flags.DurationVar(&o.commandTimeout, "command-timeout", 15*time.Minute, "timeout of one docker command, such as a pull, or of the program of -exec; it is then killed and the deployment is retried")
	flags.DurationVar(&o.lease, "lease", 10*time.Second, "delay before the deliveries of a killed process run again")
	flags.BoolVar(&o.check, "check", false, "check the flags, the secrets, what the rules name, the engine, the registry and the database, and exit")
	flags.StringVar(&o.printOptions, "print-options", "", "print a file of options for an existing `container`, for a person to check, and exit")
	flags.BoolVar(&o.version, "version", false, "print the version and exit")
	err := parseFlags(flags, usage, stderr, args)
	switch {
	case err != nil || o.version || o.printOptions != "":
		return o, err
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q: only flags are accepted; see -help", flags.Arg(0))
	case len(o.rules) == 0:
		return o, errors.New("no rule: for example, -watch acme/app:latest=run:web.options deploys each new acme/app:latest with the options in the file web.options; see -help")
	case o.quietPeriod <= 0 || o.healthTimeout <= 0 || o.minUptime <= 0 || o.commandTimeout <= 0 || o.registryRetry <= 0 || o.poll < 0 || o.lease < time.Second:
		return o, errors.New("-quiet-period, -health-timeout, -min-uptime, -command-timeout and -registry-retry must be greater than 0s, -poll at least 0s, and -lease at least 1s")
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

// program returns the command of a program that a flag names.
func (o options) program(flag, name string, env []string) (target.Command, error) {
	c, err := target.NewCommand(name, o.commandTimeout, append(slices.Clone(o.envNames), env...)...)
	if err != nil {
		err = fmt.Errorf("%s: %w", flag, err)
	}
	return c, err
}

// newEngine looks up the docker program.
func (o options) newEngine(log *slog.Logger) (*target.Engine, error) {
	docker, err := o.program("the docker program is required", "docker", target.DockerEnvironment)
	return target.NewEngine(docker, o.healthTimeout, o.minUptime, log), err
}

// newTargets returns the targets by name, and the engine if a rule needs it. It finds what
// would fail at the first push: a program, a file or a service that is missing. A rule of
// the kind run gets the name of the container that its file declares.
func (o options) newTargets(ctx context.Context, memory target.Memory, log *slog.Logger) (all map[string]target.Target, docker *target.Engine, err error) {
	all = make(map[string]target.Target)
	var project *target.Project
	for _, r := range slices.SortedFunc(maps.Values(o.rules), func(a, b rule.Rule) int { return strings.Compare(a.Target, b.Target) }) {
		if docker == nil && r.Kind != "exec" {
			if docker, err = o.newEngine(log); err != nil {
				return nil, nil, err
			}
		}
		var t target.Target
		switch r.Kind {
		case "run":
			var c *target.Container
			if c, err = target.NewContainer(docker, r.Name); err == nil {
				delete(o.rules, r.Target)
				r.Target = "run:" + c.Name()
				o.rules[r.Target], t = r, c
			}
		case "service":
			if project == nil {
				if len(o.composeFiles) == 0 {
					return nil, docker, &rule.Error{Rule: r.Text, Err: errors.New("-compose is missing")}
				}
				if project, err = target.NewProject(ctx, docker, o.composeFiles); err != nil {
					return nil, docker, fmt.Errorf("-compose: %w", err)
				}
			}
			t, err = target.NewService(project, r.Name, memory)
		case "exec":
			var program target.Command
			if o.execProgram == "" {
				return nil, docker, &rule.Error{Rule: r.Text, Err: errors.New("-exec is missing")}
			}
			program, err = o.program("-exec", o.execProgram, target.ProgramEnvironment)
			t = &target.Program{Command: program, Args: o.execArgs, Lock: o.lockName(r.Name), Log: log.With("target", r.Target)}
		}
		if err != nil {
			return nil, docker, &rule.Error{Rule: r.Text, Err: err}
		}
		all[r.Target] = t
	}
	return all, docker, nil
}

// lockName returns the name of the file that is locked while the program of -exec deploys a
// target. It is beside the SQLite database, or in the folder for temporary files.
func (o options) lockName(name string) string {
	if isPostgres(o.database) {
		return filepath.Join(os.TempDir(), "dockerhub-deploy-"+name+".lock")
	}
	return o.database + "-" + name + ".lock"
}

// newRegistry returns the client of -registry, with the credentials of the variables
// REGISTRY_USERNAME and REGISTRY_PASSWORD, or those of "docker login".
func (o options) newRegistry(getenv func(string) string) (*registry.Client, error) {
	user := getenv("REGISTRY_USERNAME")
	password, err := readSecret(getenv, "REGISTRY_PASSWORD")
	if err != nil {
		return nil, err
	}
	if (user == "") != password.IsZero() {
		return nil, errors.New("only one of REGISTRY_USERNAME and REGISTRY_PASSWORD is set")
	}
	return registry.New(o.registry, user, password)
}

// readTokens reads the accepted tokens.
func readTokens(getenv func(string) string) ([]webhook.Secret, error) {
	tokens, err := readSecrets(getenv, tokenName)
	if err == nil && len(tokens) == 0 {
		err = fmt.Errorf("%s is not set; create one and append it to the webhook's URL: export %s=$(openssl rand -hex 32)", tokenName, tokenName)
	}
	for _, token := range tokens {
		if strings.ContainsAny(string(token.Reveal()), " \t/?#%") {
			return nil, fmt.Errorf("%s holds a token with characters that a URL cannot contain; use letters and digits", tokenName)
		}
	}
	return tokens, err
}

// tokenName is the variable of the tokens in the webhook's URL.
const tokenName = "DOCKERHUB_WEBHOOK_TOKEN"
