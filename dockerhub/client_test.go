package dockerhub_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/dockerhub/dockerhubtest"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestDigestIsAskedByHeadWithAToken(t *testing.T) {
	for name, password := range map[string]string{"anonymous": "", "with credentials": "s3cret"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub := new(dockerhubtest.Server)
				user := ""
				if password != "" {
					user = "kim"
				}
				hub.User, hub.Password = user, webhook.NewSecret(password)
				want, official := push(hub, "acme/app:latest", "1"), push(hub, "library/nginx:1.27", "2")
				hub.SetPrivate("acme/app", user != "")
				c := clientOf(hub, user, password)
				for range 3 {
					if got, err := c.Digest(t.Context(), "acme/app", "latest"); got != want || err != nil {
						t.Errorf("got %q, %v, want %q", got, err, want)
					}
				}
				if got, err := c.Digest(t.Context(), "nginx", "1.27"); got != official || err != nil {
					t.Errorf("an official image: %q, %v", got, err)
				}
				if heads, tokens := count(hub, "HEAD registry-1.docker.io/v2/acme/app/manifests/latest"), count(hub, "GET auth.docker.io"); heads != 4 || tokens != 2 {
					t.Errorf("%d HEADs and %d tokens, want 4 and one for each repository", heads, tokens)
				}
				catchuptest.Advance(10 * time.Minute)
				if _, err := c.Digest(t.Context(), "acme/app", "latest"); err != nil || count(hub, "GET auth.docker.io") != 3 {
					t.Errorf("after the token has expired: %v, %d tokens", err, count(hub, "GET auth.docker.io"))
				}
				if n := count(hub, "GET registry-1.docker.io"); n > 0 {
					t.Errorf("%d pulls", n)
				}
			})
		})
	}
}

func TestFailuresOfTheRegistry(t *testing.T) {
	status := func(code int, header ...string) dockerhubtest.Failure {
		f := dockerhubtest.Failure{Status: code, Header: make(http.Header)}
		for i := 0; i < len(header); i += 2 {
			f.Header.Set(header[i], header[i+1])
		}
		return f
	}
	for _, tc := range []struct {
		name string
		fail dockerhubtest.Failure // the answer to the HEAD
		want error
	}{
		{"forbidden", status(403), dockerhub.ErrDenied},
		{"unauthorized without a challenge", status(401), dockerhub.ErrDenied},
		{"a challenge of another scheme", status(401, "WWW-Authenticate", `Negotiate`), dockerhub.ErrDenied},
		{"a challenge without a realm", status(401, "WWW-Authenticate", `Bearer service="x"`), dockerhub.ErrAnswer},
		{"a realm of another host without TLS", status(401, "WWW-Authenticate", `Bearer realm="http://evil.example/token"`), dockerhub.ErrAnswer},
		{"a realm of the same host without TLS", status(401, "WWW-Authenticate", `Bearer realm="http://registry-1.docker.io/token"`), dockerhub.ErrAnswer},
		{"a realm that is no URL", status(401, "WWW-Authenticate", `Bearer realm="https://%zz"`), dockerhub.ErrAnswer},
		{"too many requests", status(429, "Retry-After", "30"), dockerhub.ErrRateLimited},
		{"too many requests until a time", status(429, "Retry-After", "Sat, 01 Jan 2000 00:00:30 GMT", "Date", "Sat, 01 Jan 2000 00:00:00 GMT"), dockerhub.ErrRateLimited},
		{"a server error", status(502), dockerhub.ErrServer},
		{"no digest", status(200), dockerhub.ErrAnswer},
		{"something else as digest", status(200, "Docker-Content-Digest", "latest"), dockerhub.ErrAnswer},
		{"not found", status(404), dockerhub.ErrTagNotFound},
	} {
		t.Run(tc.name, func(t *testing.T) {
			hub := new(dockerhubtest.Server)
			hub.User, hub.Password = "kim", webhook.NewSecret("s3cret")
			push(hub, "acme/app:latest", "1")
			hub.Fail(1, tc.fail)
			_, err := clientOf(hub, "kim", "s3cret").Digest(t.Context(), "acme/app", "latest")
			if !errors.Is(err, tc.want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if count(hub, "GET evil.example") > 0 || count(hub, "GET registry-1.docker.io") > 0 {
				t.Error("the credentials were sent to another host, or without TLS")
			}
			if status, ok := errors.AsType[*dockerhub.StatusError](err); tc.want == dockerhub.ErrRateLimited && (!ok || status.RetryAfter != 30*time.Second) {
				t.Errorf("got %+v", err)
			}
		})
	}
}

func TestWrongCredentialsAreDenied(t *testing.T) {
	hub := new(dockerhubtest.Server)
	hub.User, hub.Password = "kim", webhook.NewSecret("s3cret")
	push(hub, "acme/app:latest", "1")
	for _, password := range []string{"wr0ng", ""} {
		_, err := clientOf(hub, "kim", password).Digest(t.Context(), "acme/app", "latest")
		if !errors.Is(err, dockerhub.ErrDenied) || password != "" && strings.Contains(err.Error(), password) {
			t.Errorf("got %v, want ErrDenied", err)
		}
	}
}

func TestAnswersOfTheServerOfTokens(t *testing.T) {
	for body, want := range map[string]error{
		`{"access_token":"t"}`: dockerhub.ErrDenied, // used, and refused
		`{}`:                   dockerhub.ErrAnswer,
		`<html>`:               dockerhub.ErrAnswer,
		`{"token":"` + strings.Repeat("x", 2<<20) + `"}`: dockerhub.ErrAnswer,
	} {
		hub := new(dockerhubtest.Server)
		hub.Fail(1, dockerhubtest.Failure{Path: "/token", Body: body})
		if _, err := clientOf(hub, "", "").Digest(t.Context(), "acme/app", "latest"); !errors.Is(err, want) {
			t.Errorf("%.40s: got %v, want %v", body, err, want)
		}
	}
}

func TestARegistryWithBasicAuthentication(t *testing.T) {
	hub := &dockerhubtest.Server{Scheme: "Basic", User: "kim", Password: webhook.NewSecret("s3cret")}
	want := push(hub, "acme/app:latest", "1")
	for user, denied := range map[string]bool{"kim": false, "": true} {
		c := clientOf(hub, user, "s3cret")
		c.Registry = "https://registry.example.com:5000"
		got, err := c.Digest(t.Context(), "acme/app", "latest")
		if denied != errors.Is(err, dockerhub.ErrDenied) || !denied && got != want {
			t.Errorf("%q: %q, %v", user, got, err)
		}
		if _, err := c.LastPush(t.Context(), "acme/app", "latest"); !errors.Is(err, dockerhub.ErrTagNotFound) {
			t.Errorf("another registry has no API of Docker Hub: %v", err)
		}
	}
}

func TestInvalidImagesAreNotAsked(t *testing.T) {
	hub := new(dockerhubtest.Server)
	c := clientOf(hub, "", "")
	for _, image := range [][2]string{{"", "latest"}, {"Acme/app", "latest"}, {"acme/../app", "latest"}, {"acme/app", ""}, {"acme/app", "a/b"}, {"acme//app", "x"}} {
		_, err1 := c.Digest(t.Context(), image[0], dockerhub.Tag(image[1]))
		_, err2 := c.LastPush(t.Context(), image[0], dockerhub.Tag(image[1]))
		if !errors.Is(err1, dockerhub.ErrImage) || !errors.Is(err2, dockerhub.ErrImage) || len(hub.Requests()) > 0 {
			t.Errorf("%v: got %v and %v, want ErrImage", image, err1, err2)
		}
	}
	c.Registry, c.Hub = "ftp://x", "https://u:s3cret@hub"
	_, err1 := c.Digest(t.Context(), "acme/app", "latest")
	_, err2 := c.LastPush(t.Context(), "acme/app", "latest")
	for _, err := range []error{err1, err2} {
		if !errors.Is(err, dockerhub.ErrImage) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("got %v", err)
		}
	}
}

func TestLastPushIsThatOfDockerHubsAPI(t *testing.T) {
	hub := new(dockerhubtest.Server)
	digest := push(hub, "acme/app:latest", "1")
	c := clientOf(hub, "", "")
	got, err := c.LastPush(t.Context(), "acme/app", "latest")
	if err != nil || got.Digest != digest || got.Pusher != "kim" || time.Since(got.At) > time.Minute {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := c.LastPush(t.Context(), "acme/app", "none"); !errors.Is(err, dockerhub.ErrTagNotFound) {
		t.Errorf("got %v, want ErrTagNotFound", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.LastPush(ctx, "acme/app", "latest"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want Canceled", err)
	}
}
