package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

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

// difference is what the server says about the first setting that differs.
var difference = regexp.MustCompile(`inequivalent arg '([^']+)' for queue '.*' in vhost '.*': received .* but current is (none|(?:the value )?'(.*?)')(?: of type '[^']*')?$`)

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
		name, value, unset := found[1], found[3], found[2] == "none"
		want, required := must[name]
		argument := strings.HasPrefix(name, "x-")
		if required || slices.Contains(forbidden, name) || !argument {
			wrong = append(wrong, q.differs(name, value, unset, want))
		}
		if !argument {
			return errors.Join(wrong...)
		}
		args = maps.Clone(args)
		if args[name] = parse(value, want); unset {
			delete(args, name)
		}
	}
	return errors.Join(append(wrong, fmt.Errorf("%w: queue %q has too many settings", ErrSettings, q.name))...)
}

// forbidden are the arguments by which a message ends although nobody has handled it.
var forbidden = []string{"x-delivery-limit", "x-message-ttl", "x-expires"}

func (q queueKind) differs(name, value string, unset bool, want any) error {
	must := "must be unset"
	switch {
	case want != nil:
		must = fmt.Sprintf("must be %v", want)
		if want == "" {
			must = "must be empty"
		}
	case name == "durable":
		must = "must be true"
	case name == "auto_delete" || name == "exclusive":
		must = "must be false"
	}
	if unset {
		value = "unset"
	}
	return fmt.Errorf("%w: queue %q: %s is %s and %s", ErrSettings, q.name, name, value, must)
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

// parse returns the value of an argument with the type that it has in AMQP: that of the value
// that it must have, or else a number if it looks like one.
func parse(value string, want any) any {
	switch want.(type) {
	case string:
		return value
	case bool:
		return value == "true"
	}
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		return n
	}
	return value
}

// reason returns the server's text of a refusal.
func reason(err error) string {
	if refusal, ok := errors.AsType[*amqp.Error](err); ok {
		return refusal.Reason
	}
	return ""
}
