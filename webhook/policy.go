package webhook

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Policy overrides settings of a [Worker] for the deliveries of one type; see
// [Worker.Types]. A field that is zero means the setting of the Worker. A negative one is
// an error of [Worker.Run] and [Worker.Drain].
type Policy struct {
	// Concurrency is the maximum number of attempts of the type at once in this Worker.
	// Zero, and more than Worker.Concurrency, mean no further limit.
	//
	//   - Deliveries of the type beyond it are not claimed: they hold no slot of the
	//     Worker, and another Worker can claim them.
	//   - A slot is in use until the delivery is settled and the callback has returned. If
	//     overdue callbacks hold all slots of the type, the Worker logs that, and claims
	//     no more of the type until one returns. Run does not return ErrStuck for it while
	//     other types have slots; see [Health.Types].
	//   - If each type has a Concurrency, and their sum is less than Worker.Concurrency, the
	//     Worker has only as many slots as the sum.
	//   - Several Workers have such slots each. In all, there can be as many attempts at
	//     once as their sum.
	//   - The Handler must know its types: see [Router]. A Mux with Default or
	//     IgnoreUnhandled does not. Instead of IgnoreUnhandled, let the sender send only
	//     the types that are handled, or register a callback that returns [ErrIgnored].
	Concurrency int
	// MaxAttempts is the maximum number of attempts of a delivery.
	MaxAttempts int
	// Timeout is the maximum duration of one attempt, as Worker.Timeout is.
	Timeout time.Duration
	// Retry is the wait between attempts. Each zero field means that of Worker.Retry.
	Retry Backoff
	// RetryOutOfOrder points to what replaces Worker.RetryOutOfOrder. It applies while a
	// delivery of this type waits for its retry, to the younger deliveries of its
	// ordering key, of any type. If nil, it is that of the Worker.
	RetryOutOfOrder *bool
}

// A policy is what applies to the deliveries of one type, without zero values.
type policy struct {
	retryPolicy
	timeout time.Duration
}

// policyOf returns what applies to the deliveries of a type.
func (w *Worker) policyOf(typ string) policy {
	own := w.Types[typ] // zero if the type has none
	outOfOrder := w.RetryOutOfOrder
	if own.RetryOutOfOrder != nil {
		outOfOrder = *own.RetryOutOfOrder
	}
	return policy{
		retryPolicy: retryPolicy{
			backoff: Backoff{
				First: positive(own.Retry.First, w.Retry.First),
				Max:   positive(own.Retry.Max, w.Retry.Max),
			},
			maxAttempts: positive(own.MaxAttempts, w.maxAttempts()),
			outOfOrder:  outOfOrder,
			together:    w.SuspectsRunTogether,
		},
		timeout: positive(own.Timeout, w.timeout()),
	}
}

// validate refuses negative values.
func (p Policy) validate() error {
	for _, field := range []struct {
		name     string
		value    any
		negative bool
	}{
		{"Concurrency", p.Concurrency, p.Concurrency < 0},
		{"MaxAttempts", p.MaxAttempts, p.MaxAttempts < 0},
		{"Timeout", p.Timeout, p.Timeout < 0},
		{"Retry.First", p.Retry.First, p.Retry.First < 0},
		{"Retry.Max", p.Retry.Max, p.Retry.Max < 0},
	} {
		if field.negative {
			return fmt.Errorf("%s is %v, which is negative", field.name, field.value)
		}
	}
	return nil
}

// checkTypes returns an error if Types has a negative value, or does not fit the types of
// the Handler.
func (w *Worker) checkTypes(handled []string) error {
	for _, typ := range slices.Sorted(maps.Keys(w.Types)) {
		if err := w.Types[typ].validate(); err != nil {
			return fmt.Errorf("webhook: Worker.Types[%q]: %w", typ, err)
		}
		switch {
		case handled != nil && !slices.Contains(handled, typ):
			return fmt.Errorf("%w for type %q, which Worker.Types has; the Handler has %s", ErrNoHandler, typ, listOf(handled))
		case handled == nil && w.Types[typ].Concurrency > 0:
			return fmt.Errorf("webhook: Worker.Types[%q].Concurrency is %d, which needs a Handler that knows its types, such as a Mux without Default and IgnoreUnhandled",
				typ, w.Types[typ].Concurrency)
		}
	}
	return nil
}

// listOf returns the types for a message.
func listOf(types []string) string {
	if len(types) == 0 {
		return "no type"
	}
	return strings.Join(types, ", ")
}
