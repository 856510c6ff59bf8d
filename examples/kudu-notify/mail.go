package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/hookhouse/hookhouse/webhook"
)

// A mailbox is told through an SMTP server, over TLS in any case.
type mailbox struct {
	host     string
	port     int // 465 speaks TLS from the first byte, others by STARTTLS
	user     string
	password webhook.Secret // with an empty user there is no authentication
	from     string
	to       []string
}

func (mailbox) name() string { return "mail" }

func (m mailbox) send(ctx context.Context, id string, n notice) error {
	message, err := m.message(id, n)
	if err != nil {
		return webhook.Permanent(err)
	}
	options := []mail.Option{mail.WithPort(m.port), mail.WithTLSPolicy(mail.TLSMandatory), mail.WithTimeout(sendTimeout)}
	if m.port == 465 {
		options = append(options, mail.WithSSL())
	}
	if m.user != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover),
			mail.WithUsername(m.user), mail.WithPassword(string(m.password.Reveal())))
	}
	client, err := mail.NewClient(m.host, options...)
	if err != nil {
		return err
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return err
	}
	// The mail is taken when SendWithSMTPClient returns: what goes wrong with
	// saying goodbye must not send it again.
	defer func() { _ = client.CloseWithSMTPClient(session) }()
	return client.SendWithSMTPClient(session, message)
}

// message has an id that stays the same when it is sent again, by which mail
// programs know a second copy.
func (m mailbox) message(id string, n notice) (*mail.Msg, error) {
	message := mail.NewMsg()
	if err := message.From(m.from); err != nil {
		return nil, err
	}
	if err := message.To(m.to...); err != nil {
		return nil, err
	}
	message.Subject(n.title())
	message.SetMessageIDWithValue(id + "@kudu-notify")
	message.SetDateWithValue(time.Now())
	message.SetGenHeader("Auto-Submitted", "auto-generated") // no answers from those on holiday
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n\n", n.title())
	for _, f := range n.facts() {
		fmt.Fprintf(&text, "%-8s%s\n", f.name+":", f.value)
	}
	if n.URL != "" {
		fmt.Fprintf(&text, "\n%s\n", n.URL)
	}
	if n.Message != "" {
		fmt.Fprintf(&text, "\n%s\n", n.Message)
	}
	message.SetBodyString(mail.TypeTextPlain, text.String())
	return message, nil
}
