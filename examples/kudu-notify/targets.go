package main

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"strconv"

	"github.com/hookhouse/hookhouse/webhook"
)

// readTargets returns the targets that the flags and the environment name.
func readTargets(getenv func(string) string, mention, server, smtpUser, from, to string) ([]target, error) {
	mention, err := readMention(mention)
	if err != nil {
		return nil, err
	}
	var targets []target
	for _, t := range []struct {
		name string
		make func(webhook.Secret) target
	}{
		{"SLACK_WEBHOOK_URL", func(s webhook.Secret) target { return slackTarget{s, mention} }},
		{"NOTIFY_URL", func(s webhook.Secret) target { return urlTarget{s} }},
	} {
		secret, err := readSecret(getenv, t.name)
		if err != nil {
			return nil, err
		}
		if secret.IsZero() {
			continue
		}
		if u, err := url.Parse(string(secret.Reveal())); err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, fmt.Errorf("%s is not an absolute http or https URL", t.name)
		}
		targets = append(targets, t.make(secret))
	}
	password, err := readSecret(getenv, "SMTP_PASSWORD")
	if err != nil {
		return nil, err
	}
	if server == "" {
		if smtpUser != "" || from != "" || to != "" {
			return nil, errors.New("-smtp-user, -smtp-from and -smtp-to require -smtp")
		}
	} else {
		mailboxes, err := newMailboxes(server, smtpUser, password, from, to)
		if err != nil {
			return nil, err
		}
		targets = append(targets, mailboxes...)
	}
	if len(targets) == 0 {
		return nil, errors.New("no target: set SLACK_WEBHOOK_URL, -smtp or NOTIFY_URL")
	}
	return targets, nil
}

// newMailboxes returns a mailbox for each address in to.
func newMailboxes(server, user string, password webhook.Secret, from, to string) ([]target, error) {
	host, digits, err := net.SplitHostPort(server)
	port, portErr := strconv.ParseUint(digits, 10, 16)
	if err != nil || portErr != nil || host == "" || port == 0 {
		return nil, fmt.Errorf("-smtp %q is not host:port, such as smtp.example.com:587", server)
	}
	if (user == "") != password.IsZero() {
		return nil, errors.New("-smtp-user and SMTP_PASSWORD require each other")
	}
	sender, err := mail.ParseAddress(from)
	if err != nil {
		return nil, fmt.Errorf("-smtp-from %q: %w", from, err)
	}
	list, err := mail.ParseAddressList(to)
	if err != nil {
		return nil, fmt.Errorf("-smtp-to %q: %w", to, err)
	}
	var mailboxes []target
	for _, recipient := range list {
		mailboxes = append(mailboxes, mailbox{host: host, port: int(port), user: user, password: password, from: sender.String(), to: *recipient})
	}
	return mailboxes, nil
}
