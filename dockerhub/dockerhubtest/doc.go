// Package dockerhubtest is the part of Docker Hub that answers which image a tag has: its
// registry, its server of tokens, and its API of tags, for tests of programs with a
// dockerhub.CatchUp, a dockerhub.Client or a client of their own:
//
//	hub := new(dockerhubtest.Server)
//	digest := hub.Push("acme/app:latest", "kim", "a manifest")
//	client := dockerhub.NewClient("", webhook.Secret{})
//	client.Transport = webhooktest.InMemory(hub)
//
// So nothing leaves the process, and in a bubble of testing/synctest the whole is in fake
// time. webhooktest.DockerHub makes the calls of a webhook. It does not import package testing.
//
// A [Server] serves three hosts. A request for auth.docker.io is one for a token, and one for
// hub.docker.com is one to the API. Others are such by their paths, /token and
// /v2/namespaces/, and all else is the registry, which may so have any name.
//
// What it does, and where that comes from:
//
//   - HEAD and GET of a manifest by tag or digest, Docker-Content-Digest, 404 MANIFEST_UNKNOWN,
//     and the form of errors: https://distribution.github.io/distribution/spec/api/.
//   - 401 with WWW-Authenticate: Bearer and realm, service and scope, or Basic; tokens with
//     expires_in of at least 60 seconds. A client without access gets a token too, which the
//     registry refuses: https://distribution.github.io/distribution/spec/auth/token/ and
//     https://datatracker.ietf.org/doc/html/rfc6750#section-3.1 for insufficient_scope.
//   - A repository that does not exist is refused like a private one: the message of docker
//     pull names both reasons (https://github.com/moby/moby, distribution/errors.go).
//   - ratelimit-limit, ratelimit-remaining and docker-ratelimit-source for both methods. A GET
//     counts as a pull, of which there are 100 in six hours without credentials, and a HEAD
//     does not. After the last a GET gets 429: https://docs.docker.com/docker-hub/usage/pulls/.
//   - Pages of tags with page, page_size of up to 100 and 10 by default, count, next and
//     previous, and one tag:
//     https://docs.docker.com/reference/api/hub/latest/operations/ListRepositoryTags/ and
//     https://docs.docker.com/reference/api/hub/latest/operations/GetRepositoryTag/; 404 with
//     errinfo and message.
//   - X-RateLimit-Limit, -Remaining and -Reset of the API, whose limit is one of a minute, and
//     429 with X-Retry-After, a Unix time: https://docs.docker.com/reference/api/hub/latest/.
//
// Not documented, and examples here: the number of the API's limit, the order of tags, whether
// a HEAD is refused too when no pull is left (it is not), and the values of the numbers that
// identify tags and users. There are no writes, no catalog and no tokens of the API.
package dockerhubtest
