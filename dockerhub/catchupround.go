package dockerhub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

// A position is which digest of a tag was handed over last. The number counts them: it tells a
// digest from the same one that the tag had before.
type position struct {
	number int
	digest string // empty: none
}

// String returns the text that is stored.
func (p position) String() string { return strconv.Itoa(p.number) + " " + p.digest }

// parsePosition reads what String returns. Another text has no digest and a number of its own,
// so that the digest is handed over again, once.
func parsePosition(text string) position {
	number, digest, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(number)
	switch {
	case err == nil && isDigest(digest):
		return position{n, digest}
	case text == "":
		return position{}
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(text)) // never fails
	return position{number: int(h.Sum32() >> 1)}
}

// cursor is the one of a tag, with the Source that stores its deliveries.
func (c *CatchUp) cursor(tag Tag) catchup.Cursor {
	_, registry, _ := strings.Cut(c.client.Registry, "://")
	image := strings.TrimPrefix(strings.TrimSuffix(registry, "/")+"/"+c.repository, "/")
	return catchup.Cursor{Inbox: c.inbox, Name: c.source.Name + " " + image + ":" + string(tag)}
}

// round looks at each tag once, and puts what is new. If it is made only for the tags that have
// failed, it looks at those.
func (c *CatchUp) round(ctx context.Context) (time.Duration, error) {
	var fresh []Tag
	c.mute = false
	for n, first := 0, c.first; n < len(c.tags); n++ {
		i := (first + n) % len(c.tags)
		tag := c.tags[i]
		if c.loop.Again() && c.failed[tag] == nil {
			continue
		}
		err := c.look(ctx, tag)
		if err != nil && stops(ctx, err) {
			c.first = i
			if errors.Is(err, catchup.ErrInbox) { // which may fail for this tag only
				c.first = (i + 1) % len(c.tags)
			}
			return 0, err
		}
		if c.noteFailed(tag, err) {
			fresh = append(fresh, tag)
		}
	}
	err := c.failure()
	if err == nil {
		c.status.Change(func(s *CatchUpStatus) { s.Looks, s.Looked = s.Looks+1, time.Now() })
	} else if errors.Is(err, errTags) {
		c.logFailed(fresh)
	}
	return 0, err
}

// stops reports whether an error is one that the next tag would meet too.
func stops(ctx context.Context, err error) bool {
	_, isLimited := limitedUntil(err)
	return isLimited || ctx.Err() != nil || errors.Is(err, ErrDenied) || errors.Is(err, ErrRateLimited) ||
		errors.Is(err, catchup.ErrInbox) && !webhook.IsPermanent(err)
}

// look puts the push of a tag if its digest was not handed over, and saves that.
func (c *CatchUp) look(ctx context.Context, tag Tag) error {
	for range lookTries {
		if isSaved, err := c.tryLook(ctx, tag); isSaved || err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: other processes keep changing the cursor", catchup.ErrInbox)
}

// lookTries bounds how often a tag is looked at because other processes look at it too.
const lookTries = 4

// tryLook is look. It reports false if another process has handed over another digest
// meanwhile: which one the tag has now is not known then.
func (c *CatchUp) tryLook(ctx context.Context, tag Tag) (isSaved bool, err error) {
	text, err := c.cursor(tag).Load(ctx)
	if err != nil {
		return false, err
	}
	at := parsePosition(text)
	digest, err := c.client.Digest(ctx, c.repository, tag)
	if errors.Is(err, ErrTagNotFound) {
		if !c.absent[tag] {
			c.logger().Warn("the registry does not have a tag", "repository", c.repository, "tag", tag)
		}
		c.absent[tag] = true
		return true, nil
	}
	if err != nil {
		return false, err
	}
	delete(c.absent, tag)
	if at.digest == digest {
		return true, nil
	}
	if r := c.refused[tag]; r.digest == digest {
		return false, r.err
	}
	d, err := c.delivery(ctx, tag, digest, at.number)
	if err != nil {
		return false, err
	}
	isNew, err := catchup.Put(ctx, c.inbox, d)
	if webhook.IsPermanent(err) {
		c.refused[tag] = refusal{digest, err}
	}
	if err != nil {
		return false, err
	}
	next := position{at.number + 1, digest}
	c.note(tag, next, isNew)
	stored, ok, err := c.cursor(tag).Save(ctx, text, next.String(), func(stored string) string { return stored })
	return ok && parsePosition(stored).digest == digest, err
}

// note logs and counts what was found, once if it is found again because it was not saved.
func (c *CatchUp) note(tag Tag, found position, isNew bool) {
	if c.found[tag] == found {
		return
	}
	c.found[tag] = found
	c.logger().Info("a tag has an image that was not handed over", "repository", c.repository, "tag", tag, "digest", found.digest)
	c.status.Change(func(s *CatchUpStatus) {
		s.Found++
		if isNew {
			s.Stored++
		}
	})
}

// delivery returns the delivery of a push. If the tag gets the same digest again after another
// one, the number makes that another push, and so does the name of the cursor if it gets it in
// another registry.
func (c *CatchUp) delivery(ctx context.Context, tag Tag, digest string, number int) (*webhook.Delivery, error) {
	namespace, name, _ := strings.Cut(withNamespace(c.repository), "/")
	payload := Push{
		PushData: PushData{Tag: wire.Some(tag)},
		Repository: Repository{
			RepoName: c.repository, Name: name, Namespace: namespace, Owner: namespace, Status: "Active",
		},
	}
	if c.client.Registry == "" {
		payload.Repository.RepoURL = "https://hub.docker.com/r/" + c.repository
	}
	if last := c.lastPush(ctx, tag); last.Digest == "" || last.Digest == digest { // the API may lag behind
		payload.PushData.Pusher = last.Pusher
		if !last.At.IsZero() {
			payload.PushData.PushedAt = wire.Unix(last.At.Unix())
		}
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	src := c.source
	src.Describe = func(r *http.Request, body []byte) (about webhook.Description) {
		if c.source.Describe != nil {
			about = c.source.Describe(r, body)
		}
		key := fmt.Sprintf("catch-up %d %s@%s", number, c.cursor(tag).Name, digest)
		about.DedupKeys = append(slices.Clone(about.DedupKeys), key)
		return about
	}
	header := http.Header{"Content-Type": {"application/json"}, DigestHeader: {digest}}
	return src.OpenUnsigned(catchup.NewCall(header), body, unsignedReason)
}

// lastPush asks Docker Hub's API for the last push, without which a push is complete enough. If
// the API fails or limits, it is not asked again in this look.
func (c *CatchUp) lastPush(ctx context.Context, tag Tag) LastPush {
	if c.mute {
		return LastPush{}
	}
	last, err := c.client.LastPush(ctx, c.repository, tag)
	if err != nil {
		c.mute = !errors.Is(err, ErrTagNotFound)
		return LastPush{}
	}
	return last
}

// unsignedReason is the Unsigned of what a CatchUp puts.
const unsignedReason = "found by its digest in the registry; Docker Hub's calls are not signed either"
