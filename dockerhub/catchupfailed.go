package dockerhub

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/hookhouse/hookhouse/internal/catchup"
	"github.com/hookhouse/hookhouse/webhook"
)

var (
	// errTags means that a look was completed but for single tags.
	errTags = errors.New("tags fail")
	// errRefused means that a tag fails until a person mends it, or it is pushed again.
	errRefused = errors.New("refused")
)

// A refusal is a digest of a tag whose push the inbox will never store.
type refusal struct {
	digest string
	err    error
}

// noteFailed keeps whether a tag fails, and reports true if it does and did not before.
func (c *CatchUp) noteFailed(tag Tag, err error) (fresh bool) {
	_, before := c.failed[tag]
	if err == nil {
		delete(c.failed, tag)
		return false
	}
	c.failed[tag] = err
	return !before
}

// failure returns the error of the tags that fail, nil if none does. It names the first one that
// may soon work, or else the first one. The round is one that has looked, if others work, or if
// all that fail are refused.
func (c *CatchUp) failure() error {
	var first error
	for _, tag := range c.tags {
		err := c.failed[tag]
		if err != nil && (first == nil || isRefused(first) && !isRefused(err)) {
			first = err
		}
	}
	switch {
	case first == nil:
		return nil
	case isRefused(first):
		first = fmt.Errorf("%w: %w", errRefused, first)
	case len(c.failed) == len(c.tags):
		return first
	}
	return fmt.Errorf("%w: %d of %d: %w", errTags, len(c.failed), len(c.tags), first)
}

// isRefused reports whether an error of a tag is one that another request does not mend: the
// registry answers 4xx, or without a digest, or the inbox will never store the push.
func isRefused(err error) bool {
	status, isStatus := errors.AsType[*StatusError](err)
	switch {
	case isStatus:
		return status.Code >= 400 && status.Code < 500 && status.Code != http.StatusRequestTimeout
	case errors.Is(err, catchup.ErrInbox):
		return webhook.IsPermanent(err)
	default:
		return errors.Is(err, ErrAnswer)
	}
}

// logFailed logs the tags that fail and did not before, if the Loop does not log the failure
// since it has logged that of other tags.
func (c *CatchUp) logFailed(fresh []Tag) {
	if len(fresh) == 0 || !c.loop.Logged(errTags) {
		return
	}
	c.logger().Warn("more tags fail, and are tried again", "repository", c.repository, "count", len(fresh), "tag", fresh[0], "reason", c.failed[fresh[0]])
}
