package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/hookhouse/hookhouse/dockerhub"
)

// registryTimeout is the timeout of one request to the registry.
const registryTimeout = 30 * time.Second

// A registry looks up image digests. It is trusted, while the webhook is only a
// hint.
type registry struct {
	host     string // if empty, Docker Hub
	keychain authn.Keychain
}

// newRegistry uses the credentials in REGISTRY_USERNAME and REGISTRY_PASSWORD, or
// if they are not set, those of "docker login".
func newRegistry(host string, getenv func(string) string) (*registry, error) {
	if host != "" {
		if _, err := name.NewRegistry(host, name.StrictValidation); err != nil {
			return nil, err
		}
	}
	user, password := getenv("REGISTRY_USERNAME"), getenv("REGISTRY_PASSWORD")
	if (user == "") != (password == "") {
		return nil, errors.New("only one of REGISTRY_USERNAME and REGISTRY_PASSWORD is set")
	}
	r := &registry{host: host, keychain: authn.DefaultKeychain}
	if user != "" {
		r.keychain = staticKeychain{&authn.Basic{Username: user, Password: password}}
	}
	return r, nil
}

// A staticKeychain returns the same credentials for each repository.
type staticKeychain struct{ authn.Authenticator }

func (l staticKeychain) Resolve(authn.Resource) (authn.Authenticator, error) {
	return l.Authenticator, nil
}

// repository returns the name for docker pull of a repository.
func (r *registry) repository(hub string) string {
	if r.host == "" {
		return hub
	}
	return r.host + "/" + hub
}

// digest returns the current digest of a tag. It returns errImageNotFound if the
// registry does not have the tag. Every other error may be temporary.
func (r *registry) digest(ctx context.Context, hub string, tag dockerhub.Tag) (string, error) {
	image := r.repository(hub) + ":" + string(tag)
	ref, err := name.NewTag(image)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errImageNotFound, err)
	}
	ctx, cancel := context.WithTimeout(ctx, registryTimeout)
	defer cancel()
	found, err := remote.Head(ref,
		remote.WithContext(ctx),
		remote.WithAuthFromKeychain(r.keychain),
		remote.WithRetryBackoff(remote.Backoff{Steps: 1})) // the inbox retries
	var answer *transport.Error
	switch {
	case errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound:
		return "", fmt.Errorf("%w: %s", errImageNotFound, image)
	case err != nil:
		return "", fmt.Errorf("registry: %w", err)
	}
	return found.Digest.String(), nil
}
