package notice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hookhouse/hookhouse/webhook"
)

// A Notice tells one channel a result. It is stored as a delivery of its own, so that it is
// retried without the deployment.
type Notice struct {
	Channel string `json:"channel"` // its name
	Result  Result `json:"result"`
}

// EventType is the type of the deliveries of notices.
func (Notice) EventType() string { return "deploy.notice" }

// Channels are all channels of a program, each with a name of its own. Nil means that nobody
// is notified. They are safe for concurrent use.
type Channels []Channel

// ErrNoChannel means that a notice is for a channel that does not exist any more.
var ErrNoChannel = errors.New("no channel")

// Deliveries returns a delivery for each channel, or none if the result is that nothing has
// changed. Its UID is made of the UID of the order, the outcome and the channel, so that an
// inbox refuses to store it twice. Its body is the JSON of a [Notice].
func (cs Channels) Deliveries(order string, r Result) []*webhook.Delivery {
	if r.Outcome == Unchanged {
		return nil
	}
	var all []*webhook.Delivery
	for _, c := range cs {
		body, err := json.Marshal(Notice{c.name, r})
		if err != nil {
			panic(err) // strings and a number can always be marshaled
		}
		d := webhook.NewDelivery("deploy", Notice{}.EventType(), "", body)
		d.UID = order + "-" + r.Outcome + "-" + c.name
		all = append(all, d)
	}
	return all
}

// Send sends a notice by its channel. Its error is ErrNoChannel, or that of the channel with
// its name: then the notice can be sent again.
func (cs Channels) Send(ctx context.Context, n Notice) error {
	for _, c := range cs {
		if c.name == n.Channel {
			if err := c.send(ctx, n.Result); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			return nil
		}
	}
	return fmt.Errorf("%w %q", ErrNoChannel, n.Channel)
}
