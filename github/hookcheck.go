package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// CheckHook returns an error unless the credentials can list the deliveries of a hook and, if
// redeliver is true, ask for redeliveries, as a [CatchUp] does without [CatchUp.ReadAPI]. The
// error matches [ErrDenied] or [ErrHookNotFound] and names the right that is missing. CheckHook
// changes nothing: it asks for a redelivery of a delivery that does not exist, or reads the
// scopes that GitHub lists for a classic token
// (https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps).
func (c *Client) CheckHook(ctx context.Context, hook HookRef, redeliver bool) error {
	err := hook.validate()
	if err == nil {
		err = c.checkHook(ctx, hook, redeliver)
	}
	if err != nil {
		return fmt.Errorf("github: check of %s: %w", hook, err)
	}
	return nil
}

func (c *Client) checkHook(ctx context.Context, hook HookRef, redeliver bool) error {
	got, err := c.do(ctx, request{method: http.MethodGet, path: hook.below("deliveries"), query: map[string][]string{"per_page": {"1"}}})
	switch code := codeOf(err); {
	case code == http.StatusUnauthorized:
		return fmt.Errorf("%w: the credentials are wrong or have expired", err)
	case errors.Is(err, ErrDenied):
		return fmt.Errorf("%w: the credentials lack %s", err, hook.right("read"))
	case errors.Is(err, ErrHookNotFound):
		return fmt.Errorf("%w: there is no such hook, or the credentials lack %s", err, hook.right("read"))
	case err != nil || !redeliver:
		return err
	}
	if scopes := got.header.Values("X-OAuth-Scopes"); len(scopes) > 0 {
		for scope := range strings.SplitSeq(strings.Join(scopes, ","), ",") {
			if slices.Contains(hook.writeScopes(), strings.TrimSpace(scope)) {
				return nil
			}
		}
		return fmt.Errorf("%w: the token lacks %s", ErrDenied, hook.right("write"))
	}
	err = c.redeliver(ctx, hook, 0)
	switch code := codeOf(err); {
	case errors.Is(err, ErrDenied):
		return fmt.Errorf("%w: the credentials lack %s", err, hook.right("write"))
	case code == http.StatusNotFound || code == http.StatusUnprocessableEntity:
		return nil // there is no delivery 0
	default:
		return err
	}
}

// codeOf returns the status of an answer that reports a failure, zero if err is none.
func codeOf(err error) int {
	if status, ok := errors.AsType[*StatusError](err); ok {
		return status.Code
	}
	return 0
}

// right returns the name of the right to read or to write hooks.
func (h HookRef) right(access string) string {
	switch h.path[0] {
	case "repos":
		return fmt.Sprintf("the repository permission %q (%s), of a classic token the scope %s:repo_hook", "Webhooks", access, access)
	case "orgs":
		return fmt.Sprintf("the organization permission %q (%s), of a classic token the scope admin:org_hook", "Webhooks", access)
	default:
		return "the key of the App"
	}
}

// writeScopes returns the scopes of a classic token, each of which allows to ask for a
// redelivery (as above).
func (h HookRef) writeScopes() []string {
	if h.path[0] == "orgs" {
		return []string{"admin:org_hook"}
	}
	return []string{"write:repo_hook", "admin:repo_hook", "repo"}
}
