package github

import (
	"encoding/json"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// A Repository is part of nearly every event. In a workflow run it has a short
// form: the counts, flags and times are not sent and are zero.
//
// Many of the URLs are URI templates with literal braces.
type Repository struct {
	ID       int64  `json:"id"`
	NodeID   string `json:"node_id,omitempty"`
	Name     string `json:"name"`
	FullName string `json:"full_name"` // "owner/name"
	Owner    User   `json:"owner"`
	Private  bool   `json:"private"`
	// URL is the address in the API. In a push from before April 2025, and from
	// servers that still send that form, it is the address of the page. HTMLURL
	// is always the address of the page.
	URL     string `json:"url,omitempty"`
	HTMLURL string `json:"html_url,omitempty"`

	Description *string  `json:"description"`
	Homepage    *string  `json:"homepage"`
	Language    *string  `json:"language"`
	MirrorURL   *string  `json:"mirror_url"`
	License     *License `json:"license"`

	DefaultBranch string   `json:"default_branch,omitempty"`
	MasterBranch  string   `json:"master_branch,omitempty"` // push only
	Visibility    string   `json:"visibility,omitempty"`    // "public", "private" or "internal"; from newer servers only
	Organization  Login    `json:"organization,omitempty"`  // set in a push to an organisation's repository
	Topics        []string `json:"topics,omitzero"`         // nil if not sent
	// CustomProperties has the values of the organisation's custom properties:
	// a string, a list of strings, or null. It is nil if not sent.
	CustomProperties map[string]json.RawMessage `json:"custom_properties,omitzero"`

	// In a push, CreatedAt and PushedAt are sent as Unix seconds, elsewhere as
	// text. PushedAt may be null.
	CreatedAt wire.Time `json:"created_at,omitzero"`
	UpdatedAt wire.Time `json:"updated_at,omitzero"`
	PushedAt  wire.Time `json:"pushed_at,omitzero"`

	Size            int64  `json:"size"` // KiB
	StargazersCount int64  `json:"stargazers_count"`
	WatchersCount   int64  `json:"watchers_count"`
	ForksCount      int64  `json:"forks_count"`
	OpenIssuesCount int64  `json:"open_issues_count"`
	Forks           int64  `json:"forks"`
	OpenIssues      int64  `json:"open_issues"`
	Watchers        int64  `json:"watchers"`
	Stargazers      *int64 `json:"stargazers,omitempty"` // push only

	Fork         bool `json:"fork"`
	HasIssues    bool `json:"has_issues"`
	HasProjects  bool `json:"has_projects"`
	HasDownloads bool `json:"has_downloads"`
	HasWiki      bool `json:"has_wiki"`
	HasPages     bool `json:"has_pages"`
	Archived     bool `json:"archived"`
	Disabled     bool `json:"disabled"`

	// Older servers do not send the following flags, which are nil then.
	HasDiscussions           *bool `json:"has_discussions,omitempty"`
	AllowForking             *bool `json:"allow_forking,omitempty"`
	IsTemplate               *bool `json:"is_template,omitempty"`
	WebCommitSignoffRequired *bool `json:"web_commit_signoff_required,omitempty"`

	GitURL   string `json:"git_url,omitempty"`
	SSHURL   string `json:"ssh_url,omitempty"`
	CloneURL string `json:"clone_url,omitempty"`
	SVNURL   string `json:"svn_url,omitempty"`

	ArchiveURL       string `json:"archive_url,omitempty"`
	AssigneesURL     string `json:"assignees_url,omitempty"`
	BlobsURL         string `json:"blobs_url,omitempty"`
	BranchesURL      string `json:"branches_url,omitempty"`
	CollaboratorsURL string `json:"collaborators_url,omitempty"`
	CommentsURL      string `json:"comments_url,omitempty"`
	CommitsURL       string `json:"commits_url,omitempty"`
	CompareURL       string `json:"compare_url,omitempty"`
	ContentsURL      string `json:"contents_url,omitempty"`
	ContributorsURL  string `json:"contributors_url,omitempty"`
	DeploymentsURL   string `json:"deployments_url,omitempty"`
	DownloadsURL     string `json:"downloads_url,omitempty"`
	EventsURL        string `json:"events_url,omitempty"`
	ForksURL         string `json:"forks_url,omitempty"`
	GitCommitsURL    string `json:"git_commits_url,omitempty"`
	GitRefsURL       string `json:"git_refs_url,omitempty"`
	GitTagsURL       string `json:"git_tags_url,omitempty"`
	HooksURL         string `json:"hooks_url,omitempty"`
	IssueCommentURL  string `json:"issue_comment_url,omitempty"`
	IssueEventsURL   string `json:"issue_events_url,omitempty"`
	IssuesURL        string `json:"issues_url,omitempty"`
	KeysURL          string `json:"keys_url,omitempty"`
	LabelsURL        string `json:"labels_url,omitempty"`
	LanguagesURL     string `json:"languages_url,omitempty"`
	MergesURL        string `json:"merges_url,omitempty"`
	MilestonesURL    string `json:"milestones_url,omitempty"`
	NotificationsURL string `json:"notifications_url,omitempty"`
	PullsURL         string `json:"pulls_url,omitempty"`
	ReleasesURL      string `json:"releases_url,omitempty"`
	StargazersURL    string `json:"stargazers_url,omitempty"`
	StatusesURL      string `json:"statuses_url,omitempty"`
	SubscribersURL   string `json:"subscribers_url,omitempty"`
	SubscriptionURL  string `json:"subscription_url,omitempty"`
	TagsURL          string `json:"tags_url,omitempty"`
	TeamsURL         string `json:"teams_url,omitempty"`
	TreesURL         string `json:"trees_url,omitempty"`
}

// OwnerLogin returns the login of the owner, or the name if an old payload has
// no login.
func (r Repository) OwnerLogin() string {
	if r.Owner.Login != "" {
		return r.Owner.Login
	}
	return r.Owner.Name
}

// A Login is the name of an account. It is sent as text in a push, and as the account itself, an
// object, in other events (GitHub's OpenAPI description: repository-webhooks). Of that only the
// name is kept.
type Login string

// UnmarshalJSON implements [json.Unmarshaler].
func (l *Login) UnmarshalJSON(token []byte) error {
	if len(token) > 0 && token[0] == '{' {
		var account struct {
			Login string `json:"login"`
		}
		err := json.Unmarshal(token, &account)
		*l = Login(account.Login)
		return err
	}
	return json.Unmarshal(token, (*string)(l))
}

// A License is the license that GitHub detected in the repository.
type License struct {
	Key    string  `json:"key"`
	Name   string  `json:"name"`
	SPDXID *string `json:"spdx_id"` // "NOASSERTION" for an unknown license
	URL    *string `json:"url"`     // null for an unknown license
	NodeID string  `json:"node_id"`
}
