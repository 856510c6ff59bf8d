package github

import "github.com/hookhouse/hookhouse/webhook/wire"

// A User is an account: a person, a bot, or an organisation that owns a
// repository.
type User struct {
	// Name and Email are set only for the owner of the repository of a push,
	// where Email may be null.
	Name  string                `json:"name,omitempty"`
	Email wire.Optional[string] `json:"email,omitzero"`

	Login      string `json:"login,omitempty"` // absent in very old pushes; see [Repository.OwnerLogin]
	ID         int64  `json:"id,omitempty"`
	NodeID     string `json:"node_id,omitempty"`
	Type       string `json:"type,omitempty"`           // "User", "Bot" or "Organization"
	ViewType   string `json:"user_view_type,omitempty"` // from newer servers only
	SiteAdmin  bool   `json:"site_admin"`
	AvatarURL  string `json:"avatar_url,omitempty"`
	GravatarID string `json:"gravatar_id"` // empty in all current deliveries
	URL        string `json:"url,omitempty"`
	HTMLURL    string `json:"html_url,omitempty"`

	EventsURL         string `json:"events_url,omitempty"`
	FollowersURL      string `json:"followers_url,omitempty"`
	FollowingURL      string `json:"following_url,omitempty"`
	GistsURL          string `json:"gists_url,omitempty"`
	OrganizationsURL  string `json:"organizations_url,omitempty"`
	ReceivedEventsURL string `json:"received_events_url,omitempty"`
	ReposURL          string `json:"repos_url,omitempty"`
	StarredURL        string `json:"starred_url,omitempty"`
	SubscriptionsURL  string `json:"subscriptions_url,omitempty"`
}

// An Organization is the owner of the repository or of the hook.
type Organization struct {
	Login            string  `json:"login"`
	ID               int64   `json:"id"`
	NodeID           string  `json:"node_id"`
	URL              string  `json:"url"`
	HTMLURL          string  `json:"html_url,omitempty"`
	ReposURL         string  `json:"repos_url"`
	EventsURL        string  `json:"events_url"`
	HooksURL         string  `json:"hooks_url"`
	IssuesURL        string  `json:"issues_url"`
	MembersURL       string  `json:"members_url"`
	PublicMembersURL string  `json:"public_members_url"`
	AvatarURL        string  `json:"avatar_url"`
	Description      *string `json:"description"`
}

// An Enterprise is an enterprise account. GitHub Enterprise Server sends it
// too.
type Enterprise struct {
	ID          int64     `json:"id"`
	Slug        string    `json:"slug"`
	Name        string    `json:"name"`
	NodeID      string    `json:"node_id"`
	AvatarURL   string    `json:"avatar_url"`
	Description *string   `json:"description"`
	WebsiteURL  *string   `json:"website_url"`
	HTMLURL     string    `json:"html_url"`
	CreatedAt   wire.Time `json:"created_at,omitzero"`
	UpdatedAt   wire.Time `json:"updated_at,omitzero"`
}

// An Installation is the GitHub App installation that a delivery is sent for.
// The App requests a token with its ID.
type Installation struct {
	ID     int64  `json:"id"`
	NodeID string `json:"node_id,omitempty"`
}

// An Origin identifies where an event comes from. It has the fields that all
// events except ping have in common. A pointer is nil if its member is not
// sent.
type Origin struct {
	Repository   Repository    `json:"repository"`
	Sender       *User         `json:"sender,omitempty"` // the account that caused the event
	Organization *Organization `json:"organization,omitempty"`
	Enterprise   *Enterprise   `json:"enterprise,omitempty"`
	Installation *Installation `json:"installation,omitempty"`
}
