package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/examples/hookhouse/forward"
	"github.com/hookhouse/hookhouse/webhook"
)

// forwarding holds the flags of forward.
type forwarding struct {
	to          []string // URL, or SENDER=URL
	as          string
	allowRemote bool
	timeout     time.Duration
}

var forwardCommand = &command{
	name:  "forward",
	short: "send what a service receives to a service on this machine, signed again",
	long: `Takes the deliveries that a service receives, by its inspector, and sends them to a service here, one after the other in
their order, until Ctrl-C: it needs no tunnel. Each is sent as its sender does it, with the headers that matter, and
signed with the secret of the service here. That is read as send reads it, from

    GITHUB_WEBHOOK_SECRET  JOBSERV_WEBHOOK_SECRET  DOCKERHUB_WEBHOOK_TOKEN  KUDU_WEBHOOK_TOKEN

or from the file that the variable with _FILE at its end names. Write {token} in the URL for the token of Docker Hub and
Kudu. It is one URL for all senders, or several: -to github=URL -to kudu=URL. {sender} in a URL is the name of the sender.

It begins with what comes now, or with what came since -since. It waits for a target that is down or answers 429, 502, 503
or 504, as long as that asks for in Retry-After, up to a minute; and for a service that is away: nothing is lost while the service keeps it. What is not sent is printed with the cause, such as a body that does
not arrive whole. A replay at the service is not sent again. The target must be on this machine or in a private network.`,
	examples: []string{
		`hookhouse forward -url https://staging.example.com/debug/hooks/ -to http://127.0.0.1:8080/hooks/github -source github`,
		`hookhouse forward -url https://staging.example.com/debug/hooks/ -since 1h -to github=http://127.0.0.1:8080/hooks/github -to 'kudu=http://127.0.0.1:8080/hooks/kudu/{token}'`,
		`hookhouse forward -url https://bin.example.com/ -as github -to http://127.0.0.1:8080/hooks/github`,
	},
	flags: []flagDef{serviceFlag, sharedFilterFlag, func(f *flag.FlagSet, o *options) {
		s := &o.forward
		f.Func("to", "`URL` of the service here, for all senders, or SENDER=URL; may be repeated", func(text string) error {
			s.to = append(s.to, text)
			return nil
		})
		f.StringVar(&o.since, "since", "", "received at this `time` or later: 90s, 15m, 2h, 3d ago, or 2026-03-02, \"2026-03-02 09:15\", or RFC 3339")
		f.StringVar(&s.as, "as", "", "the `sender` of all deliveries (default: their source or their headers say it)")
		f.BoolVar(&s.allowRemote, "allow-remote", false, "send to targets elsewhere too")
		f.DurationVar(&s.timeout, "timeout", 10*time.Second, "the `time` that a target may take to answer")
		f.BoolVar(&o.json, "json", false, "print one JSON object a line, with exact times")
	}},
	take:    takeForward,
	offline: runForward,
}

// takeForward checks the flags of forward.
func takeForward(o *options) error {
	s := &o.forward
	switch {
	case len(s.to) == 0:
		return errors.New("needs -to, the URL of the service here")
	case s.timeout <= 0:
		return errors.New("-timeout must be greater than 0s")
	case s.as != "" && !slices.Contains(forward.Senders(), s.as):
		return fmt.Errorf("-as %s is none of %s", quoted(s.as), strings.Join(forward.Senders(), ", "))
	}
	return noOperands(o)
}

// urls returns the URLs of -to by sender, without their tokens.
func (s *forwarding) urls() (map[string]string, error) {
	byName := make(map[string]string)
	for _, text := range s.to {
		name, url, named := strings.Cut(text, "=")
		if !named || strings.ContainsAny(name, ":/") {
			name, url = "", text
		}
		switch {
		case name != "" && !slices.Contains(forward.Senders(), name):
			return nil, usagef("-to: unknown sender %q: want %s", name, strings.Join(forward.Senders(), ", "))
		case byName[name] != "":
			return nil, usagef("-to is given twice for %s", cmp.Or(name, "all senders"))
		}
		byName[name] = url
	}
	for _, name := range forward.Senders() {
		url := cmp.Or(byName[name], byName[""])
		if url != "" {
			byName[name] = strings.ReplaceAll(url, "{sender}", name)
		}
	}
	delete(byName, "")
	return byName, nil
}

// targets returns the targets with their secrets. A sender that a flag names must have one.
func (o *options) targets() (map[string]forward.Target, error) {
	s := o.forward
	urls, err := s.urls()
	if err != nil {
		return nil, err
	}
	targets := make(map[string]forward.Target)
	usable := false
	for name, url := range urls {
		variable := senders[name].variable
		t := forward.Target{}
		if t.Secret, err = senderSecret(variable, ""); err != nil {
			return nil, err
		}
		if t.Secret.IsZero() && (!forward.InURL(name) || strings.Contains(url, tokenMark)) {
			t.Lacks = fmt.Sprintf("there is no secret of %s: set %s or %[2]s_FILE", name, variable)
		} else if t.URL, err = withToken(url, t.Secret, variable); err != nil {
			return nil, err
		}
		if t.Lacks == "" {
			if err := forward.Check(t.URL, s.allowRemote); err != nil {
				return nil, usagef("-to: %v%s", err, remoteHint(err))
			}
		}
		named := name == s.as || name == o.filter.Source || slices.ContainsFunc(s.to, func(to string) bool { return strings.HasPrefix(to, name+"=") })
		if t.Lacks != "" && named {
			return nil, usagef("%s", t.Lacks)
		}
		usable = usable || named || !t.Secret.IsZero()
		targets[name] = t
	}
	if !usable {
		return nil, usagef("no secret: set the variable of a sender, such as GITHUB_WEBHOOK_SECRET or GITHUB_WEBHOOK_SECRET_FILE")
	}
	return targets, nil
}

func remoteHint(err error) string {
	if errors.Is(err, forward.ErrRemote) {
		return "; set -allow-remote if it is meant"
	}
	return ""
}

func runForward(ctx context.Context, o options, p *printer) error {
	at := o.service
	var err error
	if at == "" {
		at, err = oneLine("HOOKHOUSE_URL")
	}
	switch {
	case err != nil:
		return err
	case at == "":
		return usagef("needs a running service: set -url or HOOKHOUSE_URL")
	}
	targets, err := o.targets()
	if err != nil {
		return err
	}
	s, err := openService(at, &o)
	if err != nil {
		return err
	}
	defer s.close()
	out := &forwardPrinter{printer: p}
	f := &forward.Forwarder{
		Service: s.Client,
		Filter:  webhook.Filter{Source: o.filter.Source, Type: o.filter.Type, OrderingKey: o.filter.OrderingKey, From: o.filter.From},
		Targets: targets, As: o.forward.as, Timeout: o.forward.timeout, AllowRemote: o.forward.allowRemote,
		Report: out.event,
		Note:   func(text string) { p.note("hookhouse: forward: %s", clean(text)) },
	}
	err = f.Run(ctx)
	out.total()
	if errors.Is(err, forward.ErrRemote) {
		return fmt.Errorf("%w%s", err, remoteHint(err))
	}
	return s.advise(err)
}
