package publish

import (
	"fmt"
	"log/slog"
	"net/url"
)

// origin is the scheme and the host of the URL: the rest of it may be a secret. It is empty
// if the URL has none.
func (e *Endpoint) origin() string {
	u, err := url.Parse(e.URL)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// String returns the ID, the owner, the name, the host and the state, and no secret.
func (e Endpoint) String() string {
	return fmt.Sprintf("endpoint %s of %q named %q at %s, %s", quote(e.ID), e.Owner, e.Name, e.origin(), e.State)
}

// Format writes what [Endpoint.String] returns, whatever the verb is.
func (e Endpoint) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(e.String())) }

// LogValue returns what [Endpoint.String] has, as a group.
func (e Endpoint) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("id", e.ID), slog.String("owner", e.Owner), slog.String("name", e.Name),
		slog.String("host", e.origin()), slog.String("state", string(e.State)),
	)
}
