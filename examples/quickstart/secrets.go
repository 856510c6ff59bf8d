package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// secrets are the live secrets of each sender; none: the sender is not mounted.
type secrets struct {
	github, jobserv, dockerhub, kudu []webhook.Secret
}

func (s secrets) none() bool {
	return len(s.github)+len(s.jobserv)+len(s.dockerhub)+len(s.kudu) == 0
}

var errNoSecrets = errors.New(`no secret is set, so there is nobody to receive from. Make one and tell the sender the same:

    export GITHUB_WEBHOOK_SECRET=$(openssl rand -hex 32)

or set JOBSERV_WEBHOOK_SECRET, DOCKERHUB_WEBHOOK_TOKEN or KUDU_WEBHOOK_TOKEN; -help tells more.
To look around without a sender: -demo`)

// usage is what -help says before the flags.
const usage = `Receives webhooks and prints one JSON line for each.

Secrets come from the environment; a sender without one is not mounted:

    GITHUB_WEBHOOK_SECRET      /hooks/github
    JOBSERV_WEBHOOK_SECRET     /hooks/jobserv
    DOCKERHUB_WEBHOOK_TOKEN    /hooks/dockerhub/<token>
    KUDU_WEBHOOK_TOKEN         /hooks/kudu/<token>, or /hooks/kudu with the token as password

Each may hold several, separated by commas, while a secret is rotated (so a secret has no comma), or be read from a
file that is named by the same variable with _FILE appended. GET /healthz answers 503, and
why, when deliveries cannot be stored or worked off.

`

// readSecrets reads those of all senders.
func readSecrets(getenv func(string) string) (secrets, error) {
	var s secrets
	var errs [4]error
	s.github, errs[0] = readSecret(getenv, "GITHUB_WEBHOOK_SECRET")
	s.jobserv, errs[1] = readSecret(getenv, "JOBSERV_WEBHOOK_SECRET")
	s.dockerhub, errs[2] = readSecret(getenv, "DOCKERHUB_WEBHOOK_TOKEN")
	s.kudu, errs[3] = readSecret(getenv, "KUDU_WEBHOOK_TOKEN")
	return s, errors.Join(errs[:]...)
}

// readSecret reads NAME, or the file that NAME_FILE names less its trailing
// white space: a list separated by commas. Neither set is no secret, an empty
// item is an error.
func readSecret(getenv func(string) string, name string) ([]webhook.Secret, error) {
	list, file := getenv(name), getenv(name+"_FILE")
	switch {
	case list != "" && file != "":
		return nil, fmt.Errorf("both %s and %s_FILE are set", name, name)
	case list == "" && file == "":
		return nil, nil
	case file != "":
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s_FILE: %w", name, err)
		}
		list = strings.TrimRight(string(text), " \t\r\n")
	}
	var live []webhook.Secret
	for item := range strings.SplitSeq(list, ",") {
		if item == "" || item != strings.TrimSpace(item) {
			return nil, fmt.Errorf("%s holds an empty secret, or one with white space around it", name)
		}
		live = append(live, webhook.NewSecret(item))
	}
	return live, nil
}

// demoSecrets gives each sender that has none one that everybody knows, which
// is for the loopback interface only.
func demoSecrets(s secrets, addr string) (secrets, error) {
	if host, _, err := net.SplitHostPort(addr); addr != "" && (err != nil || !loopback(host)) {
		return s, fmt.Errorf("-demo uses secrets that everybody knows: listen on 127.0.0.1, not on %q", addr)
	}
	for _, one := range []*[]webhook.Secret{&s.github, &s.jobserv, &s.dockerhub, &s.kudu} {
		if len(*one) == 0 {
			*one = []webhook.Secret{webhook.NewSecret("demo-secret-for-loopback-only")}
		}
	}
	return s, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// listenAddr is what -addr means where it says nothing.
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
