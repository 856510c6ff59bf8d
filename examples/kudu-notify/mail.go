package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/hookhouse/hookhouse/webhook"
)

// A mailbox sends notices to one recipient through an SMTP server, always over
// TLS. Each recipient gets a separate mail, so a rejected address does not affect
// the others.
type mailbox struct {
	host     string
	port     int // 465 uses TLS from the start, every other port STARTTLS
	user     string
	password webhook.Secret // not used if user is empty: then there is no authentication
	from     string
	to       netmail.Address
}

func (mailbox) kind() string { return "mail" }

// name contains a hash of the address, because it becomes part of a Message-ID.
func (m mailbox) name() string {
	sum := sha256.Sum256([]byte(m.to.Address))
	return "mail-" + hex.EncodeToString(sum[:8])
}

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
	defer func() { _ = client.CloseWithSMTPClient(session) }()
	err = client.SendWithSMTPClient(session, message)
	if message.IsDelivered() {
		return nil // a later error must not send the mail again
	}
	if isPermanent(err) {
		return webhook.Permanent(err)
	}
	return err
}

// isPermanent reports whether the server permanently rejects this recipient or
// this mail. A rejected sender or password is retried, because the operator can
// fix it.
func isPermanent(err error) bool {
	failed, ok := errors.AsType[*mail.SendError](err)
	if !ok || failed.ErrorCode() < 500 {
		return false
	}
	switch failed.Reason {
	case mail.ErrSMTPRcptTo, mail.ErrSMTPData, mail.ErrSMTPDataClose:
		return true
	}
	return false
}

// message returns the mail for a notice. Its Message-ID is the same for each
// attempt, so mail programs recognize a second copy.
func (m mailbox) message(id string, n notice) (*mail.Msg, error) {
	message := mail.NewMsg()
	if err := message.From(m.from); err != nil {
		return nil, err
	}
	if err := message.To(m.to.String()); err != nil {
		return nil, err
	}
	message.Subject(n.title())
	message.SetMessageIDWithValue(id + "@kudu-notify")
	message.SetDateWithValue(time.Now())
	message.SetGenHeader("Auto-Submitted", "auto-generated") // suppresses out-of-office replies
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
