package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// secrets holds the accepted secrets of each sender. A sender without one is not
// mounted.
type secrets struct {
	github, jobserv, dockerhub, kudu []webhook.Secret
}

func (s secrets) none() bool {
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

To rotate a secret, list the old and the new one, separated by a comma; a secret itself cannot contain a comma.
To read a secret from a file, set GITHUB_WEBHOOK_SECRET_FILE, and so on, to the path of the file.

GET /healthz answers 503, with the reason, if deliveries cannot be stored or handled.

`

// readSecrets reads the secrets of all senders.
func readSecrets(getenv func(string) string) (secrets, error) {
	var s secrets
	var errs [4]error
	s.github, errs[0] = readSecret(getenv, "GITHUB_WEBHOOK_SECRET")
	s.jobserv, errs[1] = readSecret(getenv, "JOBSERV_WEBHOOK_SECRET")
	s.dockerhub, errs[2] = readSecret(getenv, "DOCKERHUB_WEBHOOK_TOKEN")
	s.kudu, errs[3] = readSecret(getenv, "KUDU_WEBHOOK_TOKEN")
	return s, errors.Join(errs[:]...)
}

// readSecret reads a comma-separated list of secrets from the variable name, or
// from the file named by the variable name_FILE, without the file's trailing
// white space. It returns no secrets if neither is set, and an error if an item
// is empty.
func readSecret(getenv func(string) string, name string) ([]webhook.Secret, error) {
	list, file := getenv(name), getenv(name+"_FILE")
	switch {
	case list != "" && file != "":
		return nil, fmt.Errorf("both %s and %s_FILE are set; set only one", name, name)
	case list == "" && file == "":
		return nil, nil
	case file != "":
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s_FILE: %w", name, err)
		}
		list = strings.TrimRight(string(text), " \t\r\n")
	}
	var all []webhook.Secret
	for item := range strings.SplitSeq(list, ",") {
		if item == "" || item != strings.TrimSpace(item) {
			return nil, fmt.Errorf("%s holds an empty secret, or one surrounded by white space", name)
		}
		all = append(all, webhook.NewSecret(item))
	}
	return all, nil
}

// demoSecrets gives each sender without a secret a publicly known one. It
// returns an error if addr is set and not on the loopback interface.
func demoSecrets(s secrets, addr string) (secrets, error) {
	if host, _, err := net.SplitHostPort(addr); addr != "" && (err != nil || !loopback(host)) {
		return s, fmt.Errorf("-demo uses publicly known secrets: listen on 127.0.0.1, not on %q", addr)
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
