package rabbitmq

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// limitFor is how long the server's limit is believed after it has refused a message. An
// operator may raise it.
const limitFor = 5 * time.Minute

// A serverLimit is the largest message that the server takes, as it said in a refusal.
type serverLimit struct {
	mu    sync.Mutex
	limit int // zero: not known
	until time.Time
}

// sizeRefusal is what the server says when it closes the channel of a message that is too large.
var sizeRefusal = regexp.MustCompile(`message size \d+ is larger than (?:configured )?max size (\d+)`)

// learn returns the limit if err is the server's refusal of a message for its size: of the one
// that was sent, or of another one on its channel.
func (s *serverLimit) learn(err error) (limit int, ok bool) {
	found := sizeRefusal.FindStringSubmatch(reason(err))
	if found == nil {
		return 0, false
	}
	limit, err = strconv.Atoi(found[1])
	if err != nil {
		return 0, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit, s.until = limit, time.Now().Add(limitFor)
	return limit, true
}

// get returns the limit, or zero if it is not known.
func (s *serverLimit) get() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Now().After(s.until) {
		s.limit = 0
	}
	return s.limit
}

// refuseSize refuses a message that the server would not take, so that it closes no channel
// on which other messages are in flight.
func (p *Publisher) refuseSize(ctx context.Context, d *webhook.Delivery, size int) error {
	for _, limit := range []int{p.MaxMessage, p.limit.get()} {
		if limit > 0 && size > limit {
			return p.tooLarge(ctx, d, size, limit)
		}
	}
	return nil
}

func (p *Publisher) tooLarge(ctx context.Context, d *webhook.Delivery, size, limit int) error {
	if p.logged.CompareAndSwap(false, true) {
		p.logger().LogAttrs(ctx, slog.LevelError, "a message is larger than the broker takes; the delivery is not published, and the next refusals are not logged",
			slog.Any("delivery", d), slog.Int("message_size", size), slog.Int("limit", limit), slog.String("queue", p.queue))
	}
	return fmt.Errorf("%w: rabbitmq: the message has %d bytes, and the limit is %d", webhook.ErrTooLarge, size, limit)
}
