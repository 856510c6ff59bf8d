package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/examples/github-ci/git"
	"github.com/hookhouse/hookhouse/examples/github-ci/page"
	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
)

// skipping returns a Handler that stores pushes in the inbox, except for those that
// -skip-ci leaves out: they do not take the place of an older push that waits. Others gets
// those; if nil, nothing does. Neither does one that was missed, which may arrive after a
// newer one. A malformed push is stored.
func (s *settings) skipping(inbox, others webhook.Handler) webhook.Handler {
	return webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		e, err := webhook.Decode[github.Push](d)
		switch {
		case err != nil:
		case s.skipCI && skips(e.Payload) && others != nil:
			return others.Handle(ctx, d)
		case s.skipCI && skips(e.Payload):
			return fmt.Errorf("%w: the newest commit of %s says so", webhook.ErrIgnored, d.OrderingKey)
		case s.looks() && isLate(e.Payload, d.ReceivedAt):
			d.Coalesce = webhook.Coalesce{}
		}
		return inbox.Handle(ctx, d)
	})
}

// lateAfter is how long after a push its call is that of a missed one.
const lateAfter = time.Minute

// isLate reports whether a push was missed. If the clocks differ, more pushes are built, or
// one that waits is replaced by an older one, as without isLate.
func isLate(p github.Push, now time.Time) bool {
	at := p.Repository.PushedAt
	return at.Valid() && now.Sub(at.Time) > lateAfter
}

// skips reports whether the newest commit of a push asks not to be built. A tag is always
// built: the commit of a release often skips its branch.
func skips(p github.Push) bool {
	if _, ok := p.Branch(); !ok || p.HeadCommit == nil {
		return false
	}
	message := strings.ToLower(p.HeadCommit.Message)
	return strings.Contains(message, "[skip ci]") || strings.Contains(message, "[ci skip]")
}

// shaOf returns the object to check out, and whether it is a commit. For an annotated tag,
// After is the tag object, so shaOf returns the head commit; some versions of GitHub
// Enterprise Server do not send it, and then only git can say what the tag points to.
func shaOf(p github.Push) (sha string, isCommit bool, err error) {
	sha, isCommit = p.After, true
	if _, ok := p.Tag(); ok {
		if isCommit = p.HeadCommit != nil; isCommit {
			sha = p.HeadCommit.ID
		}
	}
	if !git.IsCommit(sha) {
		return "", false, fmt.Errorf("%.100q is not a commit id", sha)
	}
	return sha, isCommit, nil
}

// titleOf returns the first line of the newest commit's message, at most 120
// characters.
func titleOf(p github.Push) string {
	if p.HeadCommit == nil {
		return ""
	}
	line, _, _ := strings.Cut(p.HeadCommit.Message, "\n")
	title := []rune(page.Printable(line))
	return cmp.Or(string(title[:min(len(title), 120)]), "(no message)")
}
