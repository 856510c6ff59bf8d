package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/rule"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/target"
	"github.com/hookhouse/hookhouse/webhook"
)

const (
	timeout     = 30 * time.Second // of one question
	maxAnswer   = 4 << 20          // bytes
	maxTagPages = 20               // of up to 1000 tags
	// maxRetryAfter is the longest wait that a registry can ask for. The limit of Docker
	// Hub counts the pulls of six hours: https://docs.docker.com/docker-hub/usage/pulls/
	maxRetryAfter = 6 * time.Hour
)

// A Client asks one registry. [New] makes it. It is safe for concurrent use, but Transport
// must not change meanwhile.
type Client struct {
	// Transport sends the requests. If nil, remote.DefaultTransport does, with the proxy
	// of the environment.
	Transport http.RoundTripper

	host     string // if empty, Docker Hub
	keychain authn.Keychain
}

// New returns a Client of the registry at host, which may have a port. If host is empty, it
// is Docker Hub. The password belongs to user; if user is empty, the password is not used,
// and the credentials are those of "docker login", which are read with each question. If
// host is invalid, the error is a *name.ErrBadName of go-containerregistry. New asks
// nothing.
func New(host, user string, password webhook.Secret) (*Client, error) {
	if host != "" {
		if _, err := name.NewRegistry(host, name.StrictValidation); err != nil {
			return nil, err
		}
	}
	c := &Client{host: host, keychain: authn.DefaultKeychain}
	if user != "" {
		c.keychain = staticKeychain{user, password}
	}
	return c, nil
}

// A staticKeychain returns the same credentials for each repository.
type staticKeychain struct {
	user     string
	password webhook.Secret
}

func (k staticKeychain) Resolve(authn.Resource) (authn.Authenticator, error) {
	return &authn.Basic{Username: k.user, Password: string(k.password.Reveal())}, nil
}

// Repository returns the name for docker pull of a repository, such as acme/app: with the
// host unless that is Docker Hub.
func (c *Client) Repository(hub string) string {
	if c.host == "" {
		return hub
	}
	return c.host + "/" + hub
}

// ErrNotFound means that the registry does not have the tag or the repository. To ask again
// is of no use until somebody pushes it.
var ErrNotFound = errors.New("registry has no such image")

// Digest returns the current digest of a tag of a repository. It asks by HEAD, which Docker
// Hub does not count as a pull. The error is ErrNotFound if the registry does not have the
// tag, and otherwise a *[target.Unavailable].
func (c *Client) Digest(ctx context.Context, hub string, tag dockerhub.Tag) (string, error) {
	image := c.Repository(hub) + ":" + string(tag)
	ref, err := name.NewTag(image)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	var digest string
	err = c.ask(ctx, image, func(options ...remote.Option) error {
		found, err := remote.Head(ref, options...)
		if err == nil {
			digest = found.Digest.String()
		}
		return err
	})
	return digest, err
}

// Versions returns the tags of the repository of a rule that the rule takes, the highest
// version first. For a rule that is no range, the order is not defined.
// The errors are those of Digest, and a *name.ErrBadName of go-containerregistry for the name
// of a repository that the registry cannot have. More than 20 pages of tags are a
// *[target.Unavailable].
func (c *Client) Versions(ctx context.Context, by rule.Rule) (all []dockerhub.Tag, err error) {
	repository, err := name.NewRepository(c.Repository(by.Repository))
	if err != nil {
		return nil, err
	}
	err = c.ask(ctx, repository.Name(), func(options ...remote.Option) error {
		puller, err := remote.NewPuller(append(options, remote.WithPageSize(1000))...)
		if err != nil {
			return err
		}
		pages, err := puller.Lister(ctx, repository)
		for n := 0; err == nil && pages.HasNext(); n++ {
			if n == maxTagPages {
				return fmt.Errorf("more than %d pages of tags", n)
			}
			var page *remote.Tags
			if page, err = pages.Next(ctx); err != nil {
				break
			}
			for _, text := range page.Tags {
				if tag := dockerhub.Tag(text); by.Matches(by.Repository, tag) {
					all = append(all, tag)
				}
			}
		}
		return err
	})
	slices.SortStableFunc(all, func(a, b dockerhub.Tag) int {
		switch ra, rb := (rule.Release{Tag: a}), (rule.Release{Tag: b}); {
		case by.Older(rb, ra):
			return -1
		case by.Older(ra, rb):
			return 1
		}
		return 0
	})
	return all, err
}

// ask asks the registry once, within timeout.
func (c *Client) ask(ctx context.Context, what string, question func(...remote.Option) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	seen := &limitReader{next: c.Transport}
	if seen.next == nil {
		seen.next = remote.DefaultTransport
	}
	err := question(remote.WithContext(ctx), remote.WithAuthFromKeychain(c.keychain), remote.WithTransport(seen),
		remote.WithRetryBackoff(remote.Backoff{Steps: 1})) // the inbox retries
	answer, _ := errors.AsType[*transport.Error](err)
	switch {
	case err == nil:
		return nil
	case answer == nil:
		return &target.Unavailable{Err: fmt.Errorf("registry: %w", err)}
	case answer.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%w: %s", ErrNotFound, what)
	default:
		return &target.Unavailable{
			Err:     fmt.Errorf("registry: %s: status %d %s", what, answer.StatusCode, http.StatusText(answer.StatusCode)),
			Limited: answer.StatusCode == http.StatusTooManyRequests, After: seen.after,
			Denied: answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden,
		}
	}
}

// A limitReader is a transport that bounds answers and notes their Retry-After.
type limitReader struct {
	next  http.RoundTripper
	after time.Duration
}

func (t *limitReader) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = http.MaxBytesReader(nil, res.Body, maxAnswer)
	text := res.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
		t.after = min(time.Duration(seconds), maxRetryAfter/time.Second) * time.Second
	} else if when, err := http.ParseTime(text); err == nil {
		t.after = min(time.Until(when), maxRetryAfter)
	}
	return res, nil
}
