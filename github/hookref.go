package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/api"
)

// A HookRef names a webhook whose deliveries GitHub's API lists. [RepositoryHook],
// [OrganizationHook] and [AppHook] return one. GitHub lists no deliveries of the hooks of
// Marketplace, of Sponsors and of an enterprise
// (https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries).
type HookRef struct {
	path []string
	app  string // tells the hook of an App from that of another; may be empty
}

// RepositoryHook returns the HookRef of a repository. Its id is in the address of the page of
// its settings, and in X-GitHub-Hook-ID of each call. The credentials need the repository
// permission "Webhooks" of a fine-grained token or an App's installation: read to list
// deliveries, write to ask for a redelivery. Of a classic token they are the scopes
// read:repo_hook and write:repo_hook (https://docs.github.com/en/rest/repos/webhooks).
func RepositoryHook(owner, repo string, id int64) HookRef {
	return HookRef{path: []string{"repos", owner, repo, "hooks", strconv.FormatInt(id, 10)}}
}

// OrganizationHook returns the HookRef of an organization. The credentials need the
// organization permission "Webhooks": read to list deliveries, write to ask for a
// redelivery. A classic token needs the scope admin:org_hook, of an owner of the
// organization (https://docs.github.com/en/rest/orgs/webhooks).
func OrganizationHook(organization string, id int64) HookRef {
	return HookRef{path: []string{"orgs", organization, "hooks", strconv.FormatInt(id, 10)}}
}

// AppHook returns the HookRef of the GitHub App whose [AppCredentials] the Client has. A token
// cannot read it (https://docs.github.com/en/rest/apps/webhooks). If several Apps call the same
// Receiver, use [AppHookOf].
func AppHook() HookRef { return AppHookOf("") }

// AppHookOf is [AppHook] with the name of the App that its [AppCredentials] have. The path in the
// API does not name the App: with it the CatchUps of several Apps whose Source and inbox are the
// same keep a cursor each.
func AppHookOf(app string) HookRef { return HookRef{path: []string{"app", "hook"}, app: app} }

// String returns the path of the hook in the API, such as "repos/owner/repo/hooks/1".
func (h HookRef) String() string { return strings.Join(h.path, "/") }

// key returns what is the same after the owner or the repository was renamed: the kind and
// the ID, which is unique
// (https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers).
func (h HookRef) key() string {
	if h.app != "" {
		return h.String() + "/" + h.app
	}
	if len(h.path) <= 2 {
		return h.String()
	}
	return h.path[0] + "/hooks/" + h.path[len(h.path)-1]
}

// validate returns an error if a part of h cannot be one of a path.
func (h HookRef) validate() error {
	if len(h.path) == 0 {
		return fmt.Errorf("the hook is the zero HookRef")
	}
	for _, part := range h.path {
		if part == "" || part == "." || part == ".." || strings.ContainsAny(part, "/\\?#% \x00") {
			return fmt.Errorf("the hook %q has %q in its path", h, part)
		}
	}
	if id := h.path[len(h.path)-1]; len(h.path) > 2 && (id == "0" || id[0] == '-') {
		return fmt.Errorf("the hook %q has no positive id", h)
	}
	return nil
}

// below returns the path of something of the hook.
func (h HookRef) below(parts ...string) []string {
	return append(append([]string(nil), h.path...), parts...)
}

// pageSize is the largest number of deliveries in an answer (as above: per_page).
const pageSize = 100

// A hookDelivery is a call that GitHub has made, as the list has it. A redelivery is a
// call of its own, with another ID and the GUID of the first
// (https://docs.github.com/en/rest/repos/webhooks#list-deliveries-for-a-repository-webhook).
type hookDelivery struct {
	ID          int64     `json:"id"`
	GUID        string    `json:"guid"`
	DeliveredAt time.Time `json:"delivered_at"`
	Event       string    `json:"event"`
}

// A deliveryPage is an answer with deliveries, newest first.
type deliveryPage struct {
	deliveries []hookDelivery
	unread     int       // entries that cannot be read
	next       string    // the cursor of the page with older ones; empty: this is the last
	etag       string    // of this page
	unchanged  bool      // since the answer with the ETag of the request
	at         time.Time // the server's time
	moved      bool      // the API redirects: the repository has another name
}

// deliveries returns a page of the deliveries of a hook.
func (c *Client) deliveries(ctx context.Context, h HookRef, cursor, etag string) (deliveryPage, error) {
	query := url.Values{"per_page": {strconv.Itoa(pageSize)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	got, err := c.do(ctx, request{method: http.MethodGet, path: h.below("deliveries"), query: query, etag: etag})
	if err != nil {
		return deliveryPage{}, fmt.Errorf("list deliveries: %w", err)
	}
	page := deliveryPage{etag: got.header.Get("ETag"), at: api.ServerTime(got.header, time.Now()), moved: got.moved}
	if got.status == http.StatusNotModified {
		page.unchanged = true
		return page, nil
	}
	var entries []json.RawMessage
	if err := json.Unmarshal(got.body, &entries); err != nil {
		return deliveryPage{}, fmt.Errorf("list deliveries: %w: not a list of deliveries", ErrAnswer)
	}
	for _, entry := range entries {
		var d hookDelivery
		if json.Unmarshal(entry, &d) != nil || d.ID <= 0 || d.GUID == "" || d.DeliveredAt.IsZero() {
			page.unread++
			continue
		}
		page.deliveries = append(page.deliveries, d)
	}
	if page.next, err = nextCursor(got.header); err != nil {
		return deliveryPage{}, fmt.Errorf("list deliveries: %w", err)
	}
	return page, nil
}

var (
	linkValue = regexp.MustCompile(`<([^>]*)>([^<]*)`)
	relNext   = regexp.MustCompile(`(?i);\s*rel\s*=\s*("([^"]*\s)?next(\s[^"]*)?"|next\s*([;,]|$))`)
)

// nextCursor returns the cursor of the link with rel="next" (RFC 8288), empty if there is no
// such link. Nothing else of the link is used. A link without a cursor is an error: what it
// leads to would be left out.
func nextCursor(h http.Header) (string, error) {
	for _, links := range h.Values("Link") {
		for _, link := range linkValue.FindAllStringSubmatch(links, -1) {
			if !relNext.MatchString(link[2]) {
				continue
			}
			u, err := url.Parse(link[1])
			if err != nil || u.Query().Get("cursor") == "" {
				return "", fmt.Errorf("%w: the link to the next page has no cursor", ErrAnswer)
			}
			return u.Query().Get("cursor"), nil
		}
	}
	return "", nil
}

// redeliver asks GitHub to make a call again. GitHub answers 202 and calls afterwards.
func (c *Client) redeliver(ctx context.Context, h HookRef, id int64) error {
	_, err := c.do(ctx, request{method: http.MethodPost, path: h.below("deliveries", strconv.FormatInt(id, 10), "attempts")})
	if err != nil {
		return fmt.Errorf("ask for a redelivery: %w", err)
	}
	return nil
}

// delivery returns the header and the body of a call, as the API has them: the body is
// encoded anew.
func (c *Client) delivery(ctx context.Context, h HookRef, id int64) (http.Header, []byte, error) {
	got, err := c.do(ctx, request{method: http.MethodGet, path: h.below("deliveries", strconv.FormatInt(id, 10))})
	if err != nil {
		return nil, nil, fmt.Errorf("read a delivery: %w", err)
	}
	var answer struct {
		Request struct {
			Headers map[string]string `json:"headers"`
			Payload json.RawMessage   `json:"payload"`
		} `json:"request"`
	}
	if err := json.Unmarshal(got.body, &answer); err != nil {
		return nil, nil, fmt.Errorf("read a delivery: %w: not a delivery", ErrAnswer)
	}
	if p := answer.Request.Payload; len(p) == 0 || string(p) == "null" {
		return nil, nil, fmt.Errorf("read a delivery: %w: it has no payload", ErrAnswer)
	}
	header := make(http.Header, len(answer.Request.Headers))
	for name, value := range answer.Request.Headers {
		header.Set(name, value)
	}
	return header, answer.Request.Payload, nil
}
