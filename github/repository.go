package github

import (
	"encoding/json"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// A Repository is sent with nearly every event. Inside a workflow run it comes
// in a short form, without the counts, flags and times, which are then zero.
//
// The many URLs are URI templates with literal braces.
type Repository struct {
	ID       int64  `json:"id"`
	NodeID   string `json:"node_id,omitempty"`
	Name     string `json:"name"`
	FullName string `json:"full_name"` // "owner/name"
	Owner    User   `json:"owner"`
	Private  bool   `json:"private"`
	// URL is the API's address; in a push of before April 2025, and of servers that
	// still send such, it is the page, which is always HTMLURL.
	URL     string `json:"url,omitempty"`
	HTMLURL string `json:"html_url,omitempty"`

	Description *string  `json:"description"`
	Homepage    *string  `json:"homepage"`
	Language    *string  `json:"language"`
	MirrorURL   *string  `json:"mirror_url"`
	License     *License `json:"license"`

	DefaultBranch string   `json:"default_branch,omitempty"`
	MasterBranch  string   `json:"master_branch,omitempty"` // push only
	Visibility    string   `json:"visibility,omitempty"`    // "public", "private" or "internal"; newer
	Organization  string   `json:"organization,omitempty"`  // a login; push of an organisation's repository
	Topics        []string `json:"topics,omitzero"`         // nil where not sent
	// CustomProperties are the values that an organisation gave its properties:
	// text, a list of texts, or null. Nil where not sent.
	CustomProperties map[string]json.RawMessage `json:"custom_properties,omitzero"`

	// CreatedAt and PushedAt are UNIX seconds in a push and text elsewhere;
	// PushedAt may be null.
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

	// Flags that older servers do not send: nil.
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

// OwnerLogin returns the owner's login, or the name where a payload is so old
// that it has no login.
func (r Repository) OwnerLogin() string {
	if r.Owner.Login != "" {
		return r.Owner.Login
	}
	return r.Owner.Name
}

// A License is the one that GitHub found in the repository.
type License struct {
	Key    string  `json:"key"`
	Name   string  `json:"name"`
	SPDXID *string `json:"spdx_id"` // "NOASSERTION" for one that it does not know
	URL    *string `json:"url"`     // null for one that it does not know
	NodeID string  `json:"node_id"`
}
