package catchup

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// ErrInbox is the kind of the errors of the inbox. What they wrap says more.
var ErrInbox = errors.New("inbox")

// knownAtOnce is how many dedup keys the inbox looks up at once. It allows twice as many.
const knownAtOnce = 500

// Known reports for each dedup key whether the inbox knows it. The result has the length of
// keys, which may be any. An error matches [ErrInbox].
func Known(ctx context.Context, in webhook.Knower, source string, keys []string) ([]bool, error) {
	known := make([]bool, 0, len(keys))
	for part := range slices.Chunk(keys, knownAtOnce) {
		got, err := in.Known(ctx, source, part)
		if err != nil {
			return nil, fmt.Errorf("%w: look up dedup keys: %w", ErrInbox, err)
		}
		known = append(known, got...)
	}
	return known, nil
}

// Gone tells what has become of what is open, found missing before, and is not missing now. Of
// known the inbox knows one of the dedup keys, which keys returns for each: it is settled. Of
// unknown it knows none: that is lost, unless the sender still lists it. An error of the inbox
// matches [ErrInbox].
func Gone[K comparable, V any](ctx context.Context, in webhook.Knower, source string, open map[K]V, missing map[K]bool, keys func(K, V) ([]string, error)) (known, unknown []K, err error) {
	var gone []K
	var counts []int // of the keys of each
	var all []string
	for id, what := range open {
		if missing[id] {
			continue
		}
		own, err := keys(id, what)
		if err != nil {
			return nil, nil, err
		}
		gone, counts, all = append(gone, id), append(counts, len(own)), append(all, own...)
	}
	has, err := Known(ctx, in, source, all)
	if err != nil {
		return nil, nil, err
	}
	for n, id := range gone {
		if slices.Contains(has[:counts[n]], true) {
			known = append(known, id)
		} else {
			unknown = append(unknown, id)
		}
		has = has[counts[n]:]
	}
	return known, unknown, nil
}

// FirstKey returns the first dedup key that a call has, which names what it is about.
func FirstKey(source webhook.Source, header http.Header, body []byte) (string, error) {
	d, err := source.OpenUnsigned(NewCall(header), body, "only its keys are needed")
	if err != nil {
		return "", err
	}
	if len(d.DedupKeys) == 0 {
		return "", fmt.Errorf("source %s: Describe gives a call no dedup key", source.Name)
	}
	return d.DedupKeys[0], nil
}

// CheckWindow returns an error if an inbox says that it forgets dedup keys before what a look may
// go back to: it would run that again. It names both times. An inbox that does not say is
// believed.
func CheckWindow(in any, back time.Duration) error {
	if window := Window(in); window > 0 && window <= back {
		return fmt.Errorf("the inbox remembers dedup keys for %v (Window), and a look goes back %v", window, back)
	}
	return nil
}

// Window returns how long an inbox remembers dedup keys, zero if it does not say.
func Window(in any) time.Duration {
	if in, ok := in.(interface{ DedupWindow() time.Duration }); ok {
		return in.DedupWindow()
	}
	return 0
}

// Put stores a delivery. It reports true if it is new, and false if the inbox has one of its
// dedup keys: both mean that it is not missing any more. An error matches [ErrInbox]. If
// [webhook.IsPermanent] is true of it, no later Put of the delivery succeeds.
func Put(ctx context.Context, in webhook.Inbox, d *webhook.Delivery) (isNew bool, err error) {
	switch err := in.Put(ctx, d); {
	case err == nil:
		return true, nil
	case webhook.IsDuplicate(err):
		return false, nil
	default:
		return false, fmt.Errorf("%w: put: %w", ErrInbox, err)
	}
}

// NewCall returns the request of a call that was not received, with the header, for
// [webhook.Source.OpenUnsigned].
func NewCall(header http.Header) *http.Request {
	return &http.Request{Method: http.MethodPost, URL: &url.URL{Path: "/"}, Header: header, Body: http.NoBody}
}

// Observer returns an Observer for the Receiver of a Source. It calls look when the Receiver
// could not store a call or answered 500 or above: some senders do not call again.
func Observer(source string, look func()) *webhook.Observer {
	return &webhook.Observer{
		Rejected: func(_ context.Context, name string, status int, _ error) {
			if name == source && status >= http.StatusInternalServerError {
				look()
			}
		},
		Received: func(_ context.Context, d *webhook.Delivery, err error, _ time.Duration) {
			if d.Source == source && errors.Is(err, webhook.ErrNotStored) {
				look()
			}
		},
	}
}
