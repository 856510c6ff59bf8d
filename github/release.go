package github

import (
	"encoding/json"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// A Release is the payload of "release". Publishing a plain release sends
// created, published and released: act on one of them.
type Release struct {
	Action  string          `json:"action"`
	Release ReleaseInfo     `json:"release"`
	Changes json.RawMessage `json:"changes,omitempty"` // edited: what was there before
	Origin
}

// EventType returns "github.release".
func (Release) EventType() string { return "github.release" }

// Check implements [webhook.Checker].
func (Release) Check(document []byte) error { return check("release", document) }

// IsPublished reports whether a release or pre-release came out just now. It is
// true for one delivery of each.
func (r Release) IsPublished() bool { return r.Action == "published" && !r.Release.Draft }

// A ReleaseInfo is the release itself.
type ReleaseInfo struct {
	ID              int64          `json:"id"`
	NodeID          string         `json:"node_id"`
	TagName         string         `json:"tag_name"`
	TargetCommitish string         `json:"target_commitish"` // what the tag was or will be made from
	Name            *string        `json:"name"`
	Body            *string        `json:"body"`
	Draft           bool           `json:"draft"`
	Prerelease      bool           `json:"prerelease"`
	Author          *User          `json:"author"`
	Assets          []ReleaseAsset `json:"assets,omitzero"`
	CreatedAt       wire.Time      `json:"created_at,omitzero"`   // the commit's
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
	Digest             *string   `json:"digest,omitempty"` // "sha256:..."; newer
	URL                string    `json:"url"`
	BrowserDownloadURL string    `json:"browser_download_url"`
	CreatedAt          wire.Time `json:"created_at,omitzero"`
	UpdatedAt          wire.Time `json:"updated_at,omitzero"`
}
