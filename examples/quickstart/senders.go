package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/hookhouse/hookhouse/webhook"
)

// senders holds the accepted secrets of each sender. A sender without one is not
// mounted.
type senders struct {
	github, jobserv, dockerhub, kudu []webhook.Secret
}

func (s senders) none() bool {
	return len(s.github)+len(s.jobserv)+len(s.dockerhub)+len(s.kudu) == 0
}

var errNoSecrets = errors.New(`no secret is set. Create one and configure the sender with the same value:

    export GITHUB_WEBHOOK_SECRET=$(openssl rand -hex 32)

or set JOBSERV_WEBHOOK_SECRET, DOCKERHUB_WEBHOOK_TOKEN or KUDU_WEBHOOK_TOKEN; see -help.
Use -demo to try the program without a sender`)

// usage is the text of -help before the flags.
const usage = `Receives webhooks and prints one JSON line for each.

Secrets come from the environment; a sender without one is not mounted:

    GITHUB_WEBHOOK_SECRET      /hooks/github
    JOBSERV_WEBHOOK_SECRET     /hooks/jobserv
    DOCKERHUB_WEBHOOK_TOKEN    /hooks/dockerhub/<token>
    KUDU_WEBHOOK_TOKEN         /hooks/kudu/<token>, or /hooks/kudu with the token as password

To read a secret from a file, set GITHUB_WEBHOOK_SECRET_FILE, and so on, to the path of the file. A secret has at
least 16 characters. To rotate one, write the new and the old one on separate lines: both are accepted.

The inspector is a page that shows the deliveries, and lets you replay them. With -demo it is at / of -addr, for this
machine alone. Otherwise it needs one of these:

    INSPECTOR_PASSWORD         its password, at least 16 characters: it is at / of -addr. The user is your name.
    -admin-addr                an address of its own, such as 127.0.0.1:8081: it is at /inspect/ there. If other machines
                               can reach that address, it needs the password, too.

GET /healthz answers 503, with the reason, if deliveries cannot be stored or handled.

`

// readSenders reads the secrets of all senders and logs how many are accepted.
func readSenders(getenv func(string) string, log *slog.Logger) (senders, error) {
	var s senders
	var errs []error
	for _, v := range []struct {
		name string
		into *[]webhook.Secret
	}{
		{"GITHUB_WEBHOOK_SECRET", &s.github},
		{"JOBSERV_WEBHOOK_SECRET", &s.jobserv},
		{"DOCKERHUB_WEBHOOK_TOKEN", &s.dockerhub},
		{"KUDU_WEBHOOK_TOKEN", &s.kudu},
	} {
		secrets, err := readSecrets(getenv, v.name)
		if errs = append(errs, err); len(secrets) > 0 {
			*v.into = secrets
			logSecrets(log, v.name, secrets)
		}
	}
	return s, errors.Join(errs...)
}

// demoSecrets gives each sender without a secret a publicly known one. It
// returns an error if addr is set and not on the loopback interface.
func demoSecrets(s senders, addr string) (senders, error) {
	if host, _, err := net.SplitHostPort(addr); addr != "" && (err != nil || !isLoopback(host)) {
		return s, fmt.Errorf("-demo uses publicly known secrets: listen on 127.0.0.1, not on %q", addr)
	}
	for _, one := range []*[]webhook.Secret{&s.github, &s.jobserv, &s.dockerhub, &s.kudu} {
		if len(*one) == 0 {
			*one = []webhook.Secret{webhook.NewSecret("demo-secret-for-loopback-only")}
		}
	}
	return s, nil
}

// listenAddr returns addr, or the default for -addr if addr is empty.
func listenAddr(addr string, demo bool) string {
	switch {
	case addr != "":
		return addr
	case demo:
		return "127.0.0.1:0"
	default:
		return ":8080"
	}
}
