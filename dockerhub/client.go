package dockerhub

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/api"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

const (
	hubRegistry    = "https://registry-1.docker.io"
	hubAPI         = "https://hub.docker.com"
	defaultTimeout = 30 * time.Second
	maxAnswer      = 1 << 20
)

// A Client asks a registry for the digest of a tag, and Docker Hub for who pushed it. It does
// not pull: Docker Hub does not count a HEAD of a manifest
// (https://docs.docker.com/docker-hub/usage/pulls/). It follows no redirects. Errors contain
// no credentials. The zero value is a Client of Docker Hub without credentials.
//
// The credentials go to the server of tokens that the registry names, which may be any https
// URL. One without TLS must have the scheme and the host of Registry.
//
// Set the fields before the first call. The methods are safe for concurrent use.
type Client struct {
	// Registry is the URL of a registry with the API of
	// https://distribution.github.io/distribution/spec/api/. If empty, it is Docker Hub's.
	Registry string
	// Hub is the URL of Docker Hub's API, for [Client.LastPush]. If empty, it is that of Docker
	// Hub if Registry is empty, and otherwise there is none.
	Hub string
	// Timeout is the maximum duration of a call. Zero means 30 s.
	Timeout time.Duration
	// Transport makes the requests. If nil, http.DefaultTransport.
	Transport http.RoundTripper

	user     string
	password webhook.Secret

	mu     sync.Mutex
	tokens map[string]registryToken // by repository
}

// NewClient returns a Client with the credentials of a user, such as a personal access token
// with the right to read. If user is empty, it uses none, which suffices for public
// repositories.
func NewClient(user string, password webhook.Secret) *Client {
	return &Client{user: user, password: password}
}

// manifestTypes are the manifests whose digest docker pull would choose, those of several
// architectures first.
var manifestTypes = strings.Join([]string{
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.v2+json",
}, ", ")

// Digest returns the digest that a tag of a repository has now, such as "sha256:0a1b...". An
// official image may be given without "library/". It returns [ErrTagNotFound] if there is no
// such tag.
func (c *Client) Digest(ctx context.Context, repository string, tag Tag) (string, error) {
	if !isRepository(repository) || !tag.Valid() {
		return "", fmt.Errorf("dockerhub: digest of %q: %w", repository+":"+string(tag), ErrImage)
	}
	ctx, cancel := context.WithTimeout(ctx, api.OrDefault(c.Timeout, defaultTimeout))
	defer cancel()
	digest, err := c.digest(ctx, withNamespace(repository), tag)
	if err != nil {
		return "", fmt.Errorf("dockerhub: digest of %s:%s: %w", repository, tag, err)
	}
	return digest, nil
}

func (c *Client) digest(ctx context.Context, repository string, tag Tag) (string, error) {
	target, err := baseURL(c.Registry, hubRegistry)
	if err != nil {
		return "", err
	}
	target = target.JoinPath("v2", repository, "manifests", string(tag))
	for try := 0; ; try++ {
		r, err := http.NewRequestWithContext(ctx, http.MethodHead, target.String(), nil)
		if err != nil {
			return "", err
		}
		r.Header.Set("Accept", manifestTypes)
		c.authorize(r, repository)
		resp, err := api.Send(c.Transport, r)
		if err != nil {
			return "", err
		}
		_ = resp.Body.Close()
		switch {
		case resp.StatusCode == http.StatusUnauthorized && try == 0:
			if err := c.logIn(ctx, repository, target, resp.Header); err != nil {
				return "", err
			}
		case !api.IsSuccess(resp.StatusCode):
			return "", newStatusError(resp.StatusCode, resp.Header)
		default:
			digest := resp.Header.Get(DigestHeader)
			if !isDigest(digest) {
				return "", fmt.Errorf("%w: there is no digest in %s", ErrAnswer, DigestHeader)
			}
			return digest, nil
		}
	}
}

// DigestHeader is the header in which a registry answers the digest of a manifest, and in which
// a delivery of a [CatchUp] has it.
const DigestHeader = "Docker-Content-Digest"

// A LastPush is the last push to a tag, as Docker Hub's API has it.
type LastPush struct {
	Digest string    // may be newer than that of the registry, or empty
	Pusher string    // the name of a user
	At     time.Time // zero if there is none
}

// LastPush returns the last push to a tag
// (https://docs.docker.com/reference/api/hub/latest/operations/GetRepositoryTag/). It asks without
// credentials, which suffices for a public repository. It returns [ErrTagNotFound] if there is
// no API, no such tag, and for a private repository.
func (c *Client) LastPush(ctx context.Context, repository string, tag Tag) (LastPush, error) {
	push, err := c.lastPush(ctx, repository, tag)
	if err != nil {
		return LastPush{}, fmt.Errorf("dockerhub: last push of %q: %w", repository+":"+string(tag), err)
	}
	return push, nil
}

func (c *Client) lastPush(ctx context.Context, repository string, tag Tag) (LastPush, error) {
	namespace, name, _ := strings.Cut(withNamespace(repository), "/")
	switch {
	case !isRepository(repository) || !tag.Valid():
		return LastPush{}, ErrImage
	case c.Hub == "" && c.Registry != "", strings.Contains(name, "/"):
		return LastPush{}, ErrTagNotFound
	}
	base, err := baseURL(c.Hub, hubAPI)
	if err != nil {
		return LastPush{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, api.OrDefault(c.Timeout, defaultTimeout))
	defer cancel()
	var tagged struct {
		Digest   string    `json:"digest"`
		Pusher   string    `json:"last_updater_username"`
		PushedAt wire.Time `json:"tag_last_pushed"`
		Updated  wire.Time `json:"last_updated"`
	}
	if err := c.getJSON(ctx, base.JoinPath("v2", "namespaces", namespace, "repositories", name, "tags", string(tag)), nil, &tagged); err != nil {
		return LastPush{}, err
	}
	if !tagged.PushedAt.Valid() {
		tagged.PushedAt = tagged.Updated
	}
	return LastPush{Digest: tagged.Digest, Pusher: tagged.Pusher, At: tagged.PushedAt.Time}, nil
}

// getJSON makes a GET and decodes the answer.
func (c *Client) getJSON(ctx context.Context, target *url.URL, prepare func(*http.Request), data any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/json")
	if prepare != nil {
		prepare(r)
	}
	resp, err := api.Send(c.Transport, r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if !api.IsSuccess(resp.StatusCode) {
		return newStatusError(resp.StatusCode, resp.Header)
	}
	text, err := api.ReadAll(ctx, resp.Body, maxAnswer, ErrAnswer)
	if err != nil {
		return err
	}
	if json.Unmarshal(text, data) != nil { // its error may quote a token
		return fmt.Errorf("%w: not the JSON of %s", ErrAnswer, target.Host)
	}
	return nil
}

// validate returns the error that each call would return.
func (c *Client) validate() error {
	_, err1 := baseURL(c.Registry, hubRegistry)
	_, err2 := baseURL(c.Hub, hubAPI)
	return cmp.Or(err1, err2)
}

// baseURL parses a URL, or the fallback if it is empty.
func baseURL(text, fallback string) (*url.URL, error) {
	if text == "" {
		text = fallback
	}
	u, err := url.Parse(text)
	if err != nil || !api.IsAbsolute(u) || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%w: the URL of the registry or of Docker Hub is not an absolute http or https URL", ErrImage)
	}
	return u, nil
}
