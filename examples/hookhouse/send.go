package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// sending holds the flags of send.
type sending struct {
	sender, target                        string
	body, sample, event, guid, secretFile string
	fresh, form                           bool
	calls                                 int
	timeout                               time.Duration
}

var sendCommand = &command{
	name:     "send",
	operands: "SENDER URL",
	short:    "send a signed sample, or a saved body, as the real sender does",
	long: `The SENDER is github, jobserv, dockerhub or kudu. The request has its headers and signature, and redirects, challenges and
retries are handled as it handles them. Nobody should type a secret: it is read from -secret-file, or from the variable

    GITHUB_WEBHOOK_SECRET  JOBSERV_WEBHOOK_SECRET  DOCKERHUB_WEBHOOK_TOKEN  KUDU_WEBHOOK_TOKEN

or from the file that the variable with _FILE at its end names. If there are several lines, the first is used. Docker Hub
and Kudu send a token in the URL: write {token} there, and the secret takes its place.

Samples, the first of each sender being the default:

` + sampleNames() + `
The exit status is 0 if every call was answered with 2xx and the body arrived where it was sent. A sample that was sent
before is a duplicate, which a receiver accepts and does not run again: see -fresh.`,
	examples: []string{
		`hookhouse send github http://localhost:8080/hooks/github`,
		`hookhouse send github -sample pull_request -fresh https://ci.example.com/hooks/github`,
		`hookhouse send dockerhub -calls 3 'http://localhost:8080/hooks/dockerhub/{token}'`,
		`hookhouse send kudu -sample deployment-failed 'https://hook:{token}@notify.example.com/hooks/kudu'`,
		`hookhouse send jobserv -secret-file webhook-secret -body build.json http://localhost:8080/webhook`,
	},
	flags: []flagDef{func(f *flag.FlagSet, o *options) {
		s := &o.send
		f.StringVar(&s.body, "body", "", "send: `file` with a saved body, as show -body prints it; - is standard input")
		f.StringVar(&s.sample, "sample", "", "`name` of the sample (default: the first one of the sender)")
		f.BoolVar(&s.fresh, "fresh", false, "change the sample so that it is no duplicate")
		f.StringVar(&s.event, "event", "", "github: `name` of the event, such as push, for -body")
		f.StringVar(&s.guid, "guid", "", "github: `id` of the delivery, to send it again (default: a new one)")
		f.BoolVar(&s.form, "form", false, "github: send a form instead of JSON")
		f.IntVar(&s.calls, "calls", 1, "dockerhub: `number` of calls of one push, up to 20")
		f.StringVar(&s.secretFile, "secret-file", "", "`file` with the secret, one a line (default: the variable of the sender)")
		f.DurationVar(&s.timeout, "timeout", time.Minute, "`time` for all calls; the senders have limits of their own too")
		f.BoolVar(&o.json, "json", false, "print one JSON object a line, with exact times")
	}},
	take:    takeSend,
	offline: send,
}

// takeSend checks the flags and operands of send.
func takeSend(o *options) error {
	s := &o.send
	if len(o.args) != 2 {
		return errors.New("needs a sender and a URL")
	}
	s.sender, s.target = o.args[0], o.args[1]
	sender, known := senders[s.sender]
	switch {
	case !known:
		return fmt.Errorf("unknown sender %q: want %s", s.sender, strings.Join(slices.Sorted(maps.Keys(senders)), ", "))
	case s.body != "" && (s.sample != "" || s.fresh):
		return errors.New("-body excludes -sample and -fresh")
	case s.sender != "github" && (s.event != "" || s.guid != "" || s.form):
		return errors.New("-event, -guid and -form are for github")
	case s.sender == "github" && s.body != "" && s.event == "":
		return errors.New("-body needs -event: GitHub names the event in a header")
	case s.body == "" && s.event != "":
		return errors.New("-event is for -body; a -sample has its own")
	case s.sender != "dockerhub" && s.calls != 1:
		return errors.New("-calls is for dockerhub")
	case s.calls < 1 || s.calls > 20:
		return errors.New("-calls must be from 1 to 20")
	case s.timeout <= 0:
		return errors.New("-timeout must be greater than 0s")
	case s.secretFile != "" && sender.tokenInURL && !strings.Contains(s.target, tokenMark):
		return fmt.Errorf("-secret-file is not used: write %s in the URL", tokenMark)
	}
	if s.body == "" {
		_, err := sampleOf(s.sender, s.sample)
		return err
	}
	return nil
}

// maxBody bounds a saved body. GitHub, with the largest ones, sends 25 MB.
const maxBody = 32 << 20

// content returns the body to send and, for GitHub, its event.
func (s *sending) content() (body []byte, event string, err error) {
	if s.body != "" {
		body, err = readLimited(s.body, maxBody)
		if err != nil {
			return nil, "", fmt.Errorf("-body: %w", err)
		}
		return body, s.event, nil
	}
	sample, err := sampleOf(s.sender, s.sample)
	if err != nil {
		return nil, "", err
	}
	body = sample.body()
	if s.fresh {
		body = fresh(s.sender, body)
	}
	return body, sample.name, nil
}

func send(ctx context.Context, o options, p *printer) error {
	s := o.send
	body, event, err := s.content()
	if err != nil {
		return err
	}
	sender := senders[s.sender]
	secret, err := senderSecret(sender.variable, s.secretFile)
	if err != nil {
		return err
	}
	if !sender.tokenInURL && secret.IsZero() {
		return usagef("no secret: set %s or %[1]s_FILE, or -secret-file", sender.variable)
	}
	if sender.tokenInURL {
		if s.target, err = withToken(s.target, secret, sender.variable); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	answers := newAnswers()
	result := sender.deliver(ctx, s, secret, event, body, answers)
	return p.sent(s.sender, event, len(body), result, answers)
}

// A sender is one of those that webhooktest imitates.
type sender struct {
	variable   string // of the environment, with its secret
	tokenInURL bool
	deliver    func(ctx context.Context, s sending, secret webhook.Secret, event string, body []byte, a *answers) webhooktest.Result
}

var senders = map[string]sender{
	"github": {"GITHUB_WEBHOOK_SECRET", false, func(ctx context.Context, s sending, secret webhook.Secret, event string, body []byte, a *answers) webhooktest.Result {
		g := webhooktest.GitHub{Secret: secret, Form: s.form, Transport: a}
		if s.guid != "" {
			return g.Redeliver(ctx, s.guid, s.target, event, body)
		}
		return g.Deliver(ctx, s.target, event, body)
	}},
	"jobserv": {"JOBSERV_WEBHOOK_SECRET", false, func(ctx context.Context, s sending, secret webhook.Secret, _ string, body []byte, a *answers) webhooktest.Result {
		j := webhooktest.JobServ{Secret: secret, Transport: a}
		return j.Deliver(ctx, s.target, body)
	}},
	"dockerhub": {"DOCKERHUB_WEBHOOK_TOKEN", true, func(ctx context.Context, s sending, _ webhook.Secret, _ string, body []byte, a *answers) webhooktest.Result {
		h := webhooktest.DockerHub{Calls: s.calls, Transport: a}
		return h.Deliver(ctx, s.target, body)
	}},
	"kudu": {"KUDU_WEBHOOK_TOKEN", true, func(ctx context.Context, s sending, _ webhook.Secret, _ string, body []byte, a *answers) webhooktest.Result {
		k := webhooktest.Kudu{Transport: a}
		return k.Deliver(ctx, s.target, body)
	}},
}

// tokenMark is replaced by the token in a URL.
const tokenMark = "{token}"

// withToken puts the token into the URL. Its errors do not contain the URL, which may
// have a token of its own.
func withToken(target string, token webhook.Secret, variable string) (string, error) {
	before, after, ok := strings.Cut(target, tokenMark)
	if !ok {
		return target, nil
	}
	if token.IsZero() {
		return "", usagef("the URL contains %s and there is no token: set %s or %[2]s_FILE, or -secret-file", tokenMark, variable)
	}
	text := url.PathEscape(string(token.Reveal()))
	if strings.Contains(after, "@") && !plain(text) {
		// Kudu sends what is between "://" and "@" as it is written.
		return "", errors.New("a token before @ may have letters, digits and -._~ only")
	}
	return before + text + after, nil
}

// plain reports whether text needs no escape anywhere in a URL.
func plain(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~", r)
	}) < 0
}
