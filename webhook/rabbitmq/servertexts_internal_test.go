package rabbitmq

import (
	"errors"
	"fmt"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

// What Check learns from the texts of the server. They are those of rabbit_misc in RabbitMQ
// 3.10 and 4.
func TestDifferencesThatTheServerNames(t *testing.T) {
	for _, test := range []struct {
		text, name, value string
		unset             bool
	}{
		{"inequivalent arg 'x-queue-type' for queue 'hooks' in vhost '/': received the value 'quorum' of type 'longstr' but current is the value 'classic' of type 'longstr'", "x-queue-type", "classic", false},
		{"inequivalent arg 'x-queue-type' for queue 'hooks' in vhost '/': received the value 'quorum' of type 'longstr' but current is none", "x-queue-type", "", true},
		{"inequivalent arg 'x-delivery-limit' for queue 'hooks' in vhost '/': received none but current is the value '5' of type 'signedint'", "x-delivery-limit", "5", false},
		{"inequivalent arg 'x-single-active-consumer' for queue 'hooks' in vhost '/': received the value 'true' of type 'bool' but current is the value 'false' of type 'bool'", "x-single-active-consumer", "false", false},
		{"inequivalent arg 'x-dead-letter-exchange' for queue 'hooks' in vhost '/': received none but current is the value '' of type 'longstr'", "x-dead-letter-exchange", "", false},
		{"inequivalent arg 'durable' for queue 'hooks' in vhost '/': received 'true' but current is 'false'", "durable", "false", false},
		{"inequivalent arg 'x-overflow' for queue 'it's' in vhost 'a'b': received none but current is the value 'don't' of type 'longstr'", "x-overflow", "don't", false},
		{"inequivalent arg 'x-overflow' for queue 'x but current is none' in vhost '/': received none but current is the value 'drop-head' of type 'longstr'", "x-overflow", "drop-head", false},
	} {
		found := difference.FindStringSubmatch(test.text)
		if found == nil {
			t.Errorf("not understood: %s", test.text)
			continue
		}
		if found[1] != test.name || found[3] != test.value || (found[2] == "none") != test.unset {
			t.Errorf("got %q, value %q of %q: %s", found[1], found[3], found[2], test.text)
		}
	}
	for _, text := range []string{
		"", "inequivalent arg", "invalid arg 'x-queue-type' for queue 'hooks' in vhost '/': \"x\"",
		"queue 'hooks' in vhost '/' is exclusive", "inequivalent arg 'x' for queue 'hooks' in vhost '/': received none",
	} {
		if found := difference.FindStringSubmatch(text); found != nil {
			t.Errorf("%q is taken for a difference: %q", text, found)
		}
	}
}

func TestSizesThatTheServerNames(t *testing.T) {
	for text, want := range map[string]int{
		"PRECONDITION_FAILED - message size 4194400 is larger than configured max size 4194304": 4194304, // 3.8.? to 4
		"PRECONDITION_FAILED - message size 1000 is larger than max size 512":                   512,
		"PRECONDITION_FAILED - message size is larger than max size":                            0,
		"PRECONDITION_FAILED - unknown delivery tag 3":                                          0,
		"": 0,
	} {
		var limit serverLimit
		err := fmt.Errorf("rabbitmq: %w", &amqp.Error{Code: amqp.PreconditionFailed, Reason: text, Server: true})
		if got, ok := limit.learn(err); ok != (want > 0) || got != want || limit.get() != want {
			t.Errorf("%q: %v, %d", text, got, limit.get())
		}
	}
	var limit serverLimit
	_, plain := limit.learn(errors.New("message size 2 is larger than max size 1"))
	if _, none := limit.learn(nil); plain || none {
		t.Error("an error that is not the server's is taken for a refusal")
	}
}

func TestArgumentsHaveTheTypeThatTheyMustHave(t *testing.T) {
	for _, test := range []struct {
		value     string
		want, got any
	}{
		{"quorum", "classic", "quorum"}, {"5", "", "5"}, {"true", true, true}, {"false", true, false},
		{"5", nil, int64(5)}, {"-1", int64(-1), int64(-1)}, {"drop-head", nil, "drop-head"}, {"", nil, ""},
	} {
		if got := parse(test.value, test.want); got != test.got {
			t.Errorf("parse(%q, %v) is %v (%T)", test.value, test.want, got, got)
		}
	}
}
