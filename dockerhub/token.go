package dockerhub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/api"
	"github.com/hookhouse/hookhouse/webhook"
)

// A registryToken is what authorizes a request for one repository.
type registryToken struct {
	header  webhook.Secret
	expires time.Time
}

// minLifetime is that of a token for which the server says nothing
// (https://distribution.github.io/distribution/spec/auth/token/).
const minLifetime = 60 * time.Second

// authorize adds the token of the repository if there is one that is valid.
func (c *Client) authorize(r *http.Request, repository string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t, ok := c.tokens[repository]; ok && time.Now().Before(t.expires) {
		r.Header.Set("Authorization", string(t.header.Reveal()))
	}
}

// logIn gets a token after an answer 401, as
// https://distribution.github.io/distribution/spec/auth/token/ says, or uses the credentials
// themselves if the registry asks for Basic.
func (c *Client) logIn(ctx context.Context, repository string, asked *url.URL, h http.Header) error {
	scheme, params := parseChallenge(h.Get("WWW-Authenticate"))
	denied := &StatusError{Code: http.StatusUnauthorized}
	switch {
	case scheme == "basic" && c.user != "":
		r := &http.Request{Header: make(http.Header)}
		r.SetBasicAuth(c.user, string(c.password.Reveal()))
		c.keep(repository, r.Header.Get("Authorization"), time.Hour)
		return nil
	case scheme != "bearer":
		return denied
	}
	realm, err := url.Parse(params["realm"])
	// The credentials go to the server that the registry names, so not over a connection that
	// is less safe than that to the registry.
	isRegistry := err == nil && realm.Scheme == asked.Scheme && realm.Host == asked.Host
	if err != nil || !api.IsAbsolute(realm) || realm.Scheme != "https" && !isRegistry {
		return fmt.Errorf("%w: the realm of the registry is not an https URL", ErrAnswer)
	}
	query := realm.Query()
	query.Set("scope", "repository:"+repository+":pull")
	if params["service"] != "" {
		query.Set("service", params["service"])
	}
	realm.RawQuery = query.Encode()
	var got struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	prepare := func(r *http.Request) {
		if c.user != "" {
			r.SetBasicAuth(c.user, string(c.password.Reveal()))
		}
	}
	switch err := c.getJSON(ctx, realm, prepare, &got); {
	case errors.Is(err, ErrTagNotFound):
		return fmt.Errorf("%w: the realm of the registry has no token", ErrAnswer)
	case err != nil:
		return fmt.Errorf("token: %w", err)
	}
	if got.Token == "" {
		got.Token = got.AccessToken
	}
	if got.Token == "" {
		return fmt.Errorf("%w: there is no token", ErrAnswer)
	}
	lifetime := time.Duration(min(max(got.ExpiresIn, 0), 3600)) * time.Second
	c.keep(repository, "Bearer "+got.Token, max(lifetime, minLifetime))
	return nil
}

// keep keeps a token for most of its lifetime.
func (c *Client) keep(repository, header string, lifetime time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tokens == nil {
		c.tokens = make(map[string]registryToken)
	}
	c.tokens[repository] = registryToken{webhook.NewSecret(header), time.Now().Add(lifetime * 9 / 10)}
}

var challengeParam = regexp.MustCompile(`([A-Za-z]+)="([^"]*)"`)

// parseChallenge returns the scheme of WWW-Authenticate in lower case, and its parameters.
func parseChallenge(text string) (scheme string, params map[string]string) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	params = make(map[string]string)
	for _, m := range challengeParam.FindAllStringSubmatch(rest, -1) {
		params[strings.ToLower(m[1])] = m[2]
	}
	return strings.ToLower(scheme), params
}

// withNamespace returns the name of a repository in the registry, where an official image is
// in library.
func withNamespace(repository string) string {
	if !strings.Contains(repository, "/") {
		return "library/" + repository
	}
	return repository
}

var (
	repositoryName = regexp.MustCompile(`^[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$`)
	digestText     = regexp.MustCompile(`^[a-z0-9]+([.+_-][a-z0-9]+)*:[0-9a-f]{32,128}$`)
)

// maxRepository is the longest name of a repository (distribution/reference: regexp.go).
const maxRepository = 255

func isRepository(text string) bool {
	return len(text) <= maxRepository && repositoryName.MatchString(text)
}

func isDigest(text string) bool { return digestText.MatchString(text) }
