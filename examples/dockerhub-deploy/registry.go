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

// registryPatience bounds one question to the registry.
const registryPatience = 30 * time.Second

// A registry is what is believed, where the webhook is but a hint.
type registry struct {
	host     string // empty: Docker Hub
	keychain authn.Keychain
}

// newRegistry takes credentials from REGISTRY_USERNAME and REGISTRY_PASSWORD,
// otherwise from where "docker login" keeps them.
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
		r.keychain = login{&authn.Basic{Username: user, Password: password}}
	}
	return r, nil
}

// A login is the same for every repository.
type login struct{ authn.Authenticator }

func (l login) Resolve(authn.Resource) (authn.Authenticator, error) { return l.Authenticator, nil }

// repository returns the name by which docker pulls it.
func (r *registry) repository(hub string) string {
	if r.host == "" {
		return hub
	}
	return r.host + "/" + hub
}

// digest asks what a tag stands for now. That there is no such tag is
// errAbsent; everything else may pass, and is tried again.
func (r *registry) digest(ctx context.Context, hub string, tag dockerhub.Tag) (string, error) {
	image := r.repository(hub) + ":" + string(tag)
	ref, err := name.NewTag(image)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errAbsent, err)
	}
	ctx, cancel := context.WithTimeout(ctx, registryPatience)
	defer cancel()
	found, err := remote.Head(ref,
		remote.WithContext(ctx),
		remote.WithAuthFromKeychain(r.keychain),
		remote.WithRetryBackoff(remote.Backoff{Steps: 1})) // the inbox retries
	var answer *transport.Error
	switch {
	case errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound:
		return "", fmt.Errorf("%w: %s", errAbsent, image)
	case err != nil:
		return "", fmt.Errorf("registry: %w", err)
	}
	return found.Digest.String(), nil
}
