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
