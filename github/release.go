package github

import (
	"encoding/json"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// A Release is the payload of "release". When a release that is not a
// pre-release is published, GitHub sends the actions created, published and
// released: act on one of them.
type Release struct {
	Action  string          `json:"action"`
	Release ReleaseInfo     `json:"release"`
	Changes json.RawMessage `json:"changes,omitempty"` // edited: the previous values
	Origin
}

// EventType returns "github.release".
func (Release) EventType() string { return "github.release" }

// Check implements [webhook.Checker]. It returns an error if the document is
// not JSON or is ambiguous, as the package comment describes.
func (Release) Check(document []byte) error { return check("release", document) }

// IsPublished reports whether this event is the publication of a release or
// pre-release. It is true for exactly one of the events of a publication.
func (r Release) IsPublished() bool { return r.Action == "published" && !r.Release.Draft }

// A ReleaseInfo describes a release.
type ReleaseInfo struct {
	ID              int64          `json:"id"`
	NodeID          string         `json:"node_id"`
	TagName         string         `json:"tag_name"`
	TargetCommitish string         `json:"target_commitish"` // the branch or commit that the tag is created from
	Name            *string        `json:"name"`
	Body            *string        `json:"body"`
	Draft           bool           `json:"draft"`
	Prerelease      bool           `json:"prerelease"`
	Author          *User          `json:"author"`
	Assets          []ReleaseAsset `json:"assets,omitzero"`
	CreatedAt       wire.Time      `json:"created_at,omitzero"`   // of the commit
	PublishedAt     wire.Time      `json:"published_at,omitzero"` // null for a draft
	URL             string         `json:"url"`
	HTMLURL         string         `json:"html_url"`
	AssetsURL       string         `json:"assets_url"`
	UploadURL       string         `json:"upload_url"`
	TarballURL      *string        `json:"tarball_url"`
	ZipballURL      *string        `json:"zipball_url"`
}

// A ReleaseAsset is a file of a release. Assets may arrive after the event.
type ReleaseAsset struct {
	ID                 int64     `json:"id"`
	NodeID             string    `json:"node_id"`
	Name               string    `json:"name"`
	Label              *string   `json:"label"`
	ContentType        string    `json:"content_type"`
	State              string    `json:"state"`            // "uploaded" or "open"
	Size               int64     `json:"size"`             // bytes
	Digest             *string   `json:"digest,omitempty"` // "sha256:..."; from newer servers only
	URL                string    `json:"url"`
	BrowserDownloadURL string    `json:"browser_download_url"`
	CreatedAt          wire.Time `json:"created_at,omitzero"`
	UpdatedAt          wire.Time `json:"updated_at,omitzero"`
}
