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

// A mailbox is one recipient, told through an SMTP server, over TLS in any case.
// Each has a mail of its own: an address that is refused keeps no other one from
// being told.
type mailbox struct {
	host     string
	port     int // 465 speaks TLS from the first byte, others by STARTTLS
	user     string
	password webhook.Secret // with an empty user there is no authentication
	from     string
	to       netmail.Address
}

func (mailbox) kind() string { return "mail" }

// name has the address as a hash, since it becomes part of a Message-ID.
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
		return nil // what goes wrong afterwards must not send it again
	}
	if refused(err) {
		return webhook.Permanent(err)
	}
	return err
}

// refused reports whether the server refuses this recipient or this mail for
// good. A sender or a password that it does not take is the operator's to mend,
// and tried again.
func refused(err error) bool {
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

// message has an id that stays the same when it is sent again, by which mail
// programs know a second copy.
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
