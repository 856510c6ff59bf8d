package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Check reports whether the [Queues] of queue and their dead queues exist and have the
// settings that [Declare] gives them. It changes nothing. The error wraps [ErrNoQueue], or
// [ErrSettings] with each wrong setting: its name, its value and the value that it must have.
// Settings on which nothing depends may differ: maximum lengths, the number of members,
// where the leader is.
//
// Check needs the permission to configure the queues, since AMQP shows the settings of a queue
// only to who declares it again. It sees arguments. It does not see:
//
//   - Policies. An operator must set no delivery-limit, message-ttl, expires, or overflow other
//     than reject-publish, by a policy that matches the queue. What the server gives up
//     through such a limit is in the dead queue with the server's x-death header and not lost.
//     With overflow drop-head, or expires, it is lost.
//   - The number of members and whether each is up. A queue with one member is on one machine.
//
// Publisher and Consumer call Check for each connection.
func Check(ctx context.Context, conn *amqp.Connection, queue string, partitions int) error {
	return within(ctx, func() error { return checkQueues(conn, Queues(queue, partitions)) })
}

func checkQueues(conn *amqp.Connection, names []string) error {
	if err := checkServer(conn); err != nil {
		return err
	}
	var wrong []error
	for _, name := range names {
		for _, q := range []queueKind{workQueue(name), deadQueue(name)} {
			if err := q.check(conn); err != nil {
				wrong = append(wrong, err)
			}
			if conn.IsClosed() {
				return errors.Join(wrong...)
			}
		}
	}
	return errors.Join(wrong...)
}

// difference is what the server says about the first argument that differs.
var difference = regexp.MustCompile(`inequivalent arg '([^']+)' for queue '.*' in vhost '.*': received (?:none|.*) but current is (none|'[^']*'|the value '(.*)' of type '([^']*)')$`)

// check compares the settings of q. The server names one difference at a time: check then
// asks with that one as it is, to get the next.
func (q queueKind) check(conn *amqp.Connection) error {
	must := q.arguments(conn)
	args := must
	var wrong []error
	for range 32 {
		// A queue that does not exist must not be created by the comparison.
		if err := q.exists(conn); err != nil {
			return errors.Join(append(wrong, err)...)
		}
		err := q.declare(conn, args)
		if err == nil {
			return errors.Join(wrong...)
		}
		found := difference.FindStringSubmatch(reason(err))
		if !hasCode(err, amqp.PreconditionFailed) || found == nil {
			return errors.Join(append(wrong, q.notCompared(err))...)
		}
		name, is := found[1], found[2]
		want, required := must[name]
		if required || slices.Contains(forbidden, name) || found[3] == "" && is != "none" {
			wrong = append(wrong, q.differs(name, is, want))
		}
		next, ok := adopt(args, name, found)
		if !ok {
			return errors.Join(wrong...)
		}
		args = next
	}
	return errors.Join(append(wrong, fmt.Errorf("%w: queue %q has too many settings", ErrSettings, q.name))...)
}

// forbidden are the arguments by which a message ends although nobody has handled it.
var forbidden = []string{"x-delivery-limit", "x-message-ttl", "x-expires"}

func (q queueKind) differs(name, is string, want any) error {
	must := "must be unset"
	switch {
	case want != nil:
		must = fmt.Sprintf("must be %#v", want)
	case name == "durable":
		must = "must be true"
	case name == "auto_delete" || name == "exclusive":
		must = "must be false"
	}
	return fmt.Errorf("%w: queue %q: %s is %s and %s", ErrSettings, q.name, name, is, must)
}

// notCompared explains a refusal that names no argument.
func (q queueKind) notCompared(err error) error {
	switch {
	case hasCode(err, amqp.PreconditionFailed), hasCode(err, amqp.ResourceLocked):
		return fmt.Errorf("%w: queue %q: %w", ErrSettings, q.name, err)
	case hasCode(err, amqp.AccessRefused):
		return fmt.Errorf("rabbitmq: queue %q cannot be checked without the permission to configure it: %w", q.name, err)
	default:
		return fmt.Errorf("rabbitmq: queue %q: %w", q.name, err)
	}
}

// adopt returns args with the value that the queue has. It reports false for what is not an
// argument.
func adopt(args amqp.Table, name string, found []string) (amqp.Table, bool) {
	next := make(amqp.Table, len(args)+1)
	for k, v := range args {
		next[k] = v
	}
	value, typ := found[3], found[4]
	switch {
	case found[2] == "none":
		delete(next, name)
	case typ == "":
		return nil, false
	case typ == "longstr":
		next[name] = value
	case typ == "bool":
		next[name] = value == "true"
	default:
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return nil, false
		}
		next[name] = n
	}
	return next, true
}

// reason returns the server's text of a refusal.
func reason(err error) string {
	if refusal, ok := errors.AsType[*amqp.Error](err); ok {
		return refusal.Reason
	}
	return ""
}
