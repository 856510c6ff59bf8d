package notice

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/target"
	"github.com/hookhouse/hookhouse/webhook"
)

// Timeout is the longest time that the sending of one notice takes.
const Timeout = 30 * time.Second

// ErrURL means that a channel cannot post to its URL.
var ErrURL = errors.New("not an absolute http or https URL")

// A Channel sends results to people. [NewURL], [NewSlack] and [NewExec] make it. It is safe
// for concurrent use.
type Channel struct {
	name string
	send func(context.Context, Result) error
}

// NewURL returns a Channel that posts a result as JSON. It expects a status of 2xx and
// follows no redirect. The name is stored with each notice, so a channel has the same one
// at each start. The URL is a secret, and no error contains it. The error is ErrURL.
func NewURL(name string, to webhook.Secret) (Channel, error) {
	return newPost(name, to, func(r Result) any { return r })
}

// NewSlack returns a Channel as NewURL does, which posts a message to an incoming webhook of
// Slack: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
func NewSlack(name string, to webhook.Secret) (Channel, error) {
	return newPost(name, to, func(r Result) any { return map[string]string{"text": r.slackText()} })
}

func newPost(name string, to webhook.Secret, content func(Result) any) (Channel, error) {
	if u, err := url.Parse(string(to.Reveal())); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return Channel{}, ErrURL
	}
	return Channel{name, func(ctx context.Context, r Result) error { return post(ctx, to, content(r)) }}, nil
}

// NewExec returns a Channel that runs a program, with the result as JSON on its standard
// input and in HOOKHOUSE_TARGET, HOOKHOUSE_OUTCOME, HOOKHOUSE_IMAGE and HOOKHOUSE_REASON. It
// expects the exit status 0 within Timeout, whatever the program's own Timeout is. For the
// name, see NewURL.
func NewExec(name string, program target.Command) Channel {
	program.Timeout = Timeout
	return Channel{name, func(ctx context.Context, r Result) error {
		body, err := json.Marshal(r)
		if err != nil {
			return err
		}
		c := program
		c.Env = append(c.Env[:len(c.Env):len(c.Env)], "HOOKHOUSE_TARGET="+r.Target, "HOOKHOUSE_OUTCOME="+r.Outcome, "HOOKHOUSE_IMAGE="+r.Image,
			"HOOKHOUSE_REASON="+strings.ReplaceAll(r.Reason, "\x00", ""))
		_, _, err = c.Run(ctx, string(body))
		return err
	}}
}

// client does not follow redirects, because they could forward a secret.
var client = &http.Client{
	Timeout:       Timeout,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// post posts JSON. The URL is a secret, so no error contains it.
func post(ctx context.Context, to webhook.Secret, content any) error {
	body, err := json.Marshal(content)
	if err != nil {
		return webhook.Permanent(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, string(to.Reveal()), bytes.NewReader(body))
	if err != nil {
		return errors.New("invalid URL")
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := client.Do(r)
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err // without the URL
	} else if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	switch {
	case res.StatusCode == http.StatusSwitchingProtocols: // its body is the connection, which no timeout ends
		return errors.New("status 101: the server changes the protocol")
	case res.StatusCode/100 == 2: // its body says nothing, and may never end
		return nil
	}
	answer, _ := io.ReadAll(io.LimitReader(res.Body, 200))
	return fmt.Errorf("status %d: %q", res.StatusCode, answer)
}
