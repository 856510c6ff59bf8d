package dockerhub

import (
	"encoding/json"
	"strings"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// A Push is the payload that Docker Hub sends when an image is pushed. It has
// the fields of all bodies seen from 2013 to 2026; docker/docs describes most
// of them. Nothing in it is signed. Fields that can be null or absent have a
// type that distinguishes the two.
type Push struct {
	// CallbackURL is legacy and unsupported: it answers 404. The sender of the
	// body chooses it, so never fetch it. Absent in 2013.
	CallbackURL wire.Optional[string] `json:"callback_url,omitzero"`
	PushData    PushData              `json:"push_data"`
	Repository  Repository            `json:"repository"`
	// DHIMetadata is the change log of a mirrored Docker Hardened Image, an
	// object keyed by manifest digest, exactly as received. Its format may
	// change. Nil if absent.
	DHIMetadata json.RawMessage `json:"dhi_metadata,omitzero"`
}

// EventType returns "dockerhub.push".
func (Push) EventType() string { return "dockerhub.push" }

// Check returns an error if push_data, its tag, repository or its repo_name
// appears twice or in a different case in the document. It implements
// [webhook.Checker].
func (Push) Check(document []byte) error { return check(document) }

// Tag returns the pushed tag, or "" if the body has none.
func (p Push) Tag() Tag { return p.PushData.Tag.Or("") }

// Image returns the image as docker pull takes it, such as "acme/app:1.4.0". It
// equals the delivery's ordering key. If the body has no tag, Image returns the
// repository alone, which docker pull takes as latest although the body does
// not say what was pushed; the delivery has no ordering key then.
//
// Image validates nothing. Before you use it in a command line, call
// [Tag.Valid] and check that you expect the repository.
func (p Push) Image() string {
	return withTag(p.Repository.RepoName, p.Tag())
}

// Reference returns Image fully qualified, such as "docker.io/acme/app:1.4.0".
// An official image, whose name has no namespace, is in docker.io/library.
func (p Push) Reference() string {
	name := p.Repository.RepoName
	if !strings.Contains(name, "/") {
		name = "library/" + name
	}
	return withTag("docker.io/"+name, p.Tag())
}

func withTag(name string, tag Tag) string {
	if tag == "" {
		return name
	}
	return name + ":" + string(tag)
}

// PushData describes what was pushed, by whom and when.
type PushData struct {
	// PushedAt is in Unix seconds in the body. Values with an exponent, which
	// some samples have, are decoded exactly too.
	PushedAt wire.Time `json:"pushed_at,omitzero"`
	// Pusher is a Docker Hub user name. For an organisation's repository it is
	// not the owner.
	Pusher string `json:"pusher"`
	// Tag is absent in bodies before mid-2015.
	Tag wire.Optional[Tag] `json:"tag,omitzero"`
	// Images is deprecated. It was a list of hashes in old automated builds,
	// and null for all tags but one in 2015; since then it is empty or absent.
	// It never held the digest.
	Images wire.Optional[[]string] `json:"images,omitzero"`
	// MediaType is the media type of the manifest. It was seen in 2022 and
	// never documented: do not depend on exact values.
	MediaType wire.Optional[string] `json:"media_type,omitzero"`
}

// A Repository is the repository that was pushed to.
type Repository struct {
	// RepoName is namespace/name.
	RepoName  string `json:"repo_name"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Owner     string `json:"owner"` // the same as Namespace in all samples
	// RepoURL is the repository's page, in one of two forms:
	// https://hub.docker.com/r/ns/name, and
	// https://registry.hub.docker.com/u/ns/name/ in old bodies.
	RepoURL     string                `json:"repo_url"`
	Status      string                `json:"status"` // "Active" in all samples
	Description wire.Optional[string] `json:"description,omitzero"`
	// FullDescription is the README, which may be large, or null.
	FullDescription wire.Optional[string] `json:"full_description,omitzero"`
	// Dockerfile is present for automated builds only.
	Dockerfile wire.Optional[string] `json:"dockerfile,omitzero"`
	IsPrivate  bool                  `json:"is_private"`
	IsTrusted  bool                  `json:"is_trusted"` // an automated build
	IsOfficial bool                  `json:"is_official"`
	StarCount  int                   `json:"star_count"`
	// CommentCount was text in old samples and is absent in bodies of 2022.
	CommentCount wire.Int  `json:"comment_count,omitzero"`
	DateCreated  wire.Time `json:"date_created,omitzero"` // Unix seconds
}
