package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	netmail "net/mail"
	"net/textproto"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

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
	connect  mail.DialContextFunc // nil means by TCP
}

func (mailbox) kind() string { return "mail" }

// name contains a hash of the address, because it becomes part of a Message-ID.
func (m mailbox) name() string {
	sum := sha256.Sum256([]byte(m.to.Address))
	return "mail-" + hex.EncodeToString(sum[:8])
}

// answerTimeout is how long the server may take to answer to the whole mail, which it
// may scan first: 10 minutes, by RFC 5321, section 4.5.3.2.6.
const answerTimeout = 10 * time.Minute

func (m mailbox) send(ctx context.Context, id string, n notice, once *mark) error {
	message, err := m.message(id, n)
	if err != nil {
		return webhook.Permanent(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- m.deliver(ctx, message, once) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done(): // deliver ends by itself, since each step has a timeout
		return context.Cause(ctx)
	}
}

// dial connects to the server and signs in. The caller closes the session.
func (m mailbox) dial(ctx context.Context) (*smtp.Client, error) {
	options := []mail.Option{mail.WithPort(m.port), mail.WithTLSPolicy(mail.TLSMandatory), mail.WithTimeout(sendTimeout)}
	if m.port == 465 {
		options = append(options, mail.WithSSL())
	}
	if m.user != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover),
			mail.WithUsername(m.user), mail.WithPassword(string(m.password.Reveal())))
	}
	if m.connect != nil {
		options = append(options, mail.WithDialContextFunc(m.connect))
	}
	client, err := mail.NewClient(m.host, options...)
	if err != nil {
		return nil, err
	}
	return client.DialToSMTPClientWithContext(ctx)
}

// check signs in at the server and sends nothing.
func (m mailbox) check(ctx context.Context) error {
	session, err := m.dial(ctx)
	if err != nil {
		return fmt.Errorf("-smtp: %w", err)
	}
	defer func() { _ = session.Close() }()
	return session.Quit()
}

// deliver sends a mail once. Until the server has the whole mail, each error is retried
// or permanent. After that only a reply of the server can say that it did not take the
// mail. Without a reply the mail is perhaps delivered, and it is not sent again: a
// second mail is worse than a dead notice with that reason, which a person can replay.
func (m mailbox) deliver(ctx context.Context, message *mail.Msg, once *mark) error {
	session, err := m.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = session.Close() }()
	body, err := m.begin(session, message)
	if err != nil {
		return err
	}
	// The server takes the mail when body is closed, and not before.
	switch err := once.set(ctx); {
	case errors.Is(err, errMarked):
		return webhook.Permanent(fmt.Errorf("perhaps delivered, and not sent again: %w", err))
	case err != nil:
		return err
	}
	if err := session.UpdateDeadline(answerTimeout); err != nil {
		return errors.Join(err, once.clear(context.WithoutCancel(ctx)))
	}
	err = body.Close()
	if err == nil {
		if session.UpdateDeadline(time.Second) == nil {
			_ = session.Quit() // the mail is sent, whatever comes of this
		}
		return nil
	}
	if _, refused := errors.AsType[*textproto.Error](err); !refused {
		return webhook.Permanent(fmt.Errorf("perhaps delivered, and not sent again: no answer to the whole mail: %w", err))
	}
	if failed := once.clear(context.WithoutCancel(ctx)); failed != nil {
		return fmt.Errorf("%w; then: %w", err, failed)
	}
	return rejected(err)
}

// begin sends a mail up to its end. A rejected sender is retried, because the operator
// can fix it.
func (m mailbox) begin(session *smtp.Client, message *mail.Msg) (io.WriteCloser, error) {
	sender, err := message.GetSender(false)
	if err != nil {
		return nil, webhook.Permanent(err)
	}
	if err := session.UpdateDeadline(sendTimeout); err != nil {
		return nil, err
	}
	if err := session.Mail(sender); err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	if err := session.Rcpt("<" + m.to.Address + ">"); err != nil {
		return nil, rejected(fmt.Errorf("recipient: %w", err))
	}
	body, err := session.Data()
	if err != nil {
		return nil, rejected(err)
	}
	_, err = message.WriteTo(body)
	return body, err
}

// rejected makes the error of a reply of 5xx permanent: the server will never take this
// mail, or no mail to this recipient.
func rejected(err error) error {
	if reply, ok := errors.AsType[*textproto.Error](err); ok && reply.Code >= 500 {
		return webhook.Permanent(err)
	}
	return err
}

// lineEnds makes everything that a mail program may show as the end of a line one.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\v", "\n", "\f", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

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
		fmt.Fprintf(&text, "\n%s\n", oneLine(n.URL))
	}
	if n.Message != "" {
		text.WriteString("\n")
	}
	for line := range strings.Lines(lineEnds.Replace(n.Message)) { // no line looks like a fact
		fmt.Fprintf(&text, "> %s\n", oneLine(line))
	}
	message.SetBodyString(mail.TypeTextPlain, text.String())
	return message, nil
}
