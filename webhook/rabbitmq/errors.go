package rabbitmq

import (
	"errors"
	"fmt"
	"net/url"

	amqp "github.com/rabbitmq/amqp091-go"
)

// The errors of this package. Each error that it returns wraps one of these, one of package
// webhook, a context's, or what dial or the server said as an [*amqp.Error]. A wrong user name
// or password is [amqp.ErrCredentials], and a virtual host that does not exist has the server's
// code 530. Test with [errors.Is] and [errors.As].
var (
	// ErrNoQueue: the queue, or its dead queue, does not exist. Call [Declare].
	ErrNoQueue = errors.New("rabbitmq: no such queue")
	// ErrSettings: the queue or the server has settings with which a delivery could be lost or
	// overtaken. The text names each setting, its value and the value that it must have.
	ErrSettings = errors.New("rabbitmq: wrong settings")
	// ErrConnection: dial returned no connection, or the connection was lost.
	ErrConnection = errors.New("rabbitmq: not connected")
	// ErrClosed: the Publisher was closed.
	ErrClosed = errors.New("rabbitmq: publisher is closed")
)

// notConnected wraps the error of a connection. Of a URL that could not be parsed it leaves out
// all that package url says: of a password that is not encoded that is a part.
func notConnected(err error) error {
	if _, ok := errors.AsType[*url.Error](err); ok {
		err = errors.New("the URL cannot be parsed; a user name or password in it must be percent-encoded")
	}
	return fmt.Errorf("%w: %w", ErrConnection, err)
}

// hasCode reports whether err is the server's refusal with a code.
func hasCode(err error, code int) bool {
	refusal, ok := errors.AsType[*amqp.Error](err)
	return ok && refusal.Code == code
}

// noQueue explains the server's 404 for a queue.
func noQueue(queue string, err error) error {
	if !hasCode(err, amqp.NotFound) {
		return fmt.Errorf("rabbitmq: queue %q: %w", queue, err)
	}
	return fmt.Errorf("%w: %q, call Declare: %w", ErrNoQueue, queue, err)
}
