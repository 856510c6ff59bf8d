package main

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
)

// databaseName is the variable with the URL of PostgreSQL.
const databaseName = "DATABASE_URL"

// usage is the text of -help before the flags.
const usage = `Receives webhooks and passes them through RabbitMQ to workers. A process is one or more of three parts:

    -edge   accepts the calls of senders, and publishes them to RabbitMQ; while that is away, it keeps them in -local
    -relay  moves them from RabbitMQ to PostgreSQL
    -work   handles what is in PostgreSQL: it prints one JSON line for each

Start with -declare, which creates the queues in RabbitMQ and exits.

    AMQP_URL                   amqp:// or amqps:// URL of RabbitMQ, for -edge, -relay and -declare; of a cluster one on each line
    DATABASE_URL               postgres:// URL, for -relay and -work
    GITHUB_WEBHOOK_SECRET      secret of POST /hooks/github, for -edge; a sender without a secret is not mounted
    JOBSERV_WEBHOOK_SECRET     of /hooks/jobserv
    DOCKERHUB_WEBHOOK_TOKEN    of /hooks/dockerhub/<token>
    KUDU_WEBHOOK_TOKEN         of /hooks/kudu/<token>
    INSPECTOR_PASSWORD         password of the inspector; not needed if -admin-addr is on this machine alone

To read one from a file, set AMQP_URL_FILE, and so on, to the path of the file. The secret of a sender has at least 16
characters. To rotate it, write the new and the old one on separate lines: both are accepted.

GET /healthz answers 503, with the reason, if a part cannot do its work. An edge can while it stores in -local. A process
without -edge serves it at -admin-addr only.

`

// settings holds the validated values of the flags and of the environment.
type settings struct {
	edge, relay, work       bool
	addr, adminAddr, local  string
	broker                  broker
	database                string // PostgreSQL URL, with its password
	senders                 []sender
	guard                   guard
	check, declare, version bool // do only that
}

func readSettings(args []string, getenv func(string) string, stderr io.Writer) (*settings, error) {
	s := &settings{broker: broker{client: "edge", setting: brokerName}}
	flags := flag.NewFlagSet("edge", flag.ContinueOnError)
	flags.BoolVar(&s.edge, "edge", false, "accept the calls of senders")
	flags.BoolVar(&s.relay, "relay", false, "move deliveries from RabbitMQ to PostgreSQL; any number of processes may")
	flags.BoolVar(&s.work, "work", false, "handle the deliveries in PostgreSQL; any number of processes may")
	flags.BoolVar(&s.declare, "declare", false, "create the queues in RabbitMQ, and exit")
	flags.StringVar(&s.addr, "addr", ":8080", "address to listen on, with -edge")
	flags.StringVar(&s.adminAddr, "admin-addr", "", "address for /healthz, /metrics and the inspector, /inspect/; if empty, -addr serves /healthz")
	flags.StringVar(&s.local, "local", "edge.db", "SQLite file of this -edge alone, for deliveries that RabbitMQ has not confirmed")
	flags.StringVar(&s.broker.queue, "queue", "hooks", "name of the queue in RabbitMQ")
	flags.IntVar(&s.broker.partitions, "partitions", 1, "number of queues, the same for all processes; see README.md before you change it")
	flags.BoolVar(&s.check, "check", false, "check the flags, the secrets, RabbitMQ and the databases, and exit")
	flags.BoolVar(&s.version, "version", false, "print the version and exit")
	if err := parseFlags(flags, usage, stderr, args); err != nil || s.version {
		return s, err
	}
	switch {
	case flags.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q: only flags are accepted; see -help", flags.Arg(0))
	case s.declare && (s.edge || s.relay || s.work || s.check):
		return nil, errors.New("-declare creates the queues and exits: it excludes -edge, -relay, -work and -check")
	case !s.edge && !s.relay && !s.work && !s.declare:
		return nil, errors.New("no part is named: add -edge, -relay or -work, or several of them; see -help")
	case s.broker.queue == "":
		return nil, errors.New("-queue is empty")
	case s.broker.partitions < 1 || s.broker.partitions > rabbitmq.MaxPartitions:
		return nil, fmt.Errorf("-partitions: %d is not between 1 and %d", s.broker.partitions, rabbitmq.MaxPartitions)
	case s.edge && isPostgres(s.local):
		return nil, errors.New("-local is a file of this machine, so that RabbitMQ and PostgreSQL may both be away")
	}
	s.broker.declare = fmt.Sprintf("edge -declare -queue %s -partitions %d", s.broker.queue, s.broker.partitions)
	return s, s.readSecrets(getenv)
}

// readSecrets reads what the parts need from the environment.
func (s *settings) readSecrets(getenv func(string) string) (err error) {
	var brokerErr, databaseErr, senderErr, guardErr error
	if s.edge || s.relay || s.declare {
		s.broker.urls, brokerErr = readBrokers(getenv)
		if brokerErr == nil && len(s.broker.urls) == 0 {
			brokerErr = errors.New(brokerName + " is not set, such as amqp://user:password@host/vhost")
		}
	}
	if s.relay || s.work {
		s.database, databaseErr = readDatabase(getenv)
	}
	if s.edge {
		s.senders, senderErr = readSenders(getenv)
	}
	s.guard, guardErr = readGuard(getenv, s.adminAddr)
	return errors.Join(brokerErr, databaseErr, senderErr, guardErr)
}

// readDatabase returns the URL of PostgreSQL. Its errors have no password.
func readDatabase(getenv func(string) string) (string, error) {
	urls, err := secretLines(getenv, databaseName)
	switch {
	case err != nil:
		return "", err
	case len(urls) == 0:
		return "", errors.New(databaseName + " is not set, such as postgres://user:password@host/database")
	case len(urls) > 1 || !isPostgres(urls[0]):
		return "", errors.New(databaseName + " is not one postgres:// URL")
	}
	return urls[0], nil
}
