package github

import (
	"encoding/json"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// A RegistryPackage is the payload of "registry_package", which GitHub sends
// when a version of a package is published or updated, including container
// images on ghcr.io. GitHub may also send a "package" event for it, which has
// the same content under another name.
type RegistryPackage struct {
	Action  string      `json:"action"`
	Package PackageInfo `json:"registry_package"`
	Origin
}

// EventType returns "github.registry_package".
func (RegistryPackage) EventType() string { return "github.registry_package" }

// ImageTag returns the tag of a container image. It returns false for other
// packages and for a version without a tag, such as a part of a multi-platform
// image.
func (p RegistryPackage) ImageTag() (tag string, ok bool) {
	v := p.Package.Version
	if v == nil || v.Container == nil || v.Container.Tag == nil {
		return "", false
	}
	return v.Container.Tag.Name, v.Container.Tag.Name != ""
}

// A PackageInfo describes a package and the version that the event is about.
// Ecosystem and Type may contradict each other.
type PackageInfo struct {
	ID          int64           `json:"id"`
	Name        string          `json:"name"`
	Namespace   string          `json:"namespace"`
	Description *string         `json:"description"`
	Ecosystem   string          `json:"ecosystem"`
	Type        string          `json:"package_type"`
	HTMLURL     string          `json:"html_url"`
	Owner       *User           `json:"owner"`
	Version     *PackageVersion `json:"package_version"`
	CreatedAt   wire.Time       `json:"created_at,omitzero"`
	UpdatedAt   wire.Time       `json:"updated_at,omitzero"`
}

// A PackageVersion is one version of a package.
type PackageVersion struct {
	ID              int64              `json:"id"`
	Version         string             `json:"version"` // the digest, for an image
	Name            string             `json:"name"`
	Description     string             `json:"description"`
	Summary         string             `json:"summary"`
	Body            json.RawMessage    `json:"body,omitempty"`     // a string or an object
	Metadata        json.RawMessage    `json:"metadata,omitempty"` // a list, usually empty
	Container       *ContainerMetadata `json:"container_metadata,omitempty"`
	PackageURL      string             `json:"package_url"` // "ghcr.io/owner/name:tag"
	InstallCommand  string             `json:"installation_command"`
	HTMLURL         string             `json:"html_url"`
	TargetCommitish string             `json:"target_commitish"`
	TargetOID       string             `json:"target_oid"`
	CreatedAt       wire.Time          `json:"created_at,omitzero"` // "0001-01-01T00:00:00Z" for an image
	UpdatedAt       wire.Time          `json:"updated_at,omitzero"` // as CreatedAt
}

// ContainerMetadata describes a container image.
type ContainerMetadata struct {
	Tag      *ContainerTag      `json:"tag"`
	Labels   *ContainerLabels   `json:"labels"`
	Manifest *ContainerManifest `json:"manifest"`
}

// A ContainerTag is the pushed tag and the digest that it refers to.
type ContainerTag struct {
	Name   string `json:"name"` // may be empty
	Digest string `json:"digest"`
}

// ContainerLabels are the labels of an image.
type ContainerLabels struct {
	Description string          `json:"description"`
	Source      string          `json:"source"`
	Revision    string          `json:"revision"`
	All         json.RawMessage `json:"all_labels,omitempty"` // an object with all labels by name
}

// A ContainerManifest is the manifest of an image.
type ContainerManifest struct {
	Digest    string `json:"digest"`
	MediaType string `json:"media_type"`
	URI       string `json:"uri"`
	Size      int64  `json:"size"` // bytes
}
