package dockerhub

import (
	"encoding/json"
	"strings"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// A Push tells that an image was pushed. Its fields are those of every body
// seen from 2013 to 2026; docker/docs describes most of them. Nothing in it
// is signed. Where a field may be null or absent its type keeps that apart.
type Push struct {
	// CallbackURL is legacy and unsupported: it answers 404. Whoever sent the body
	// chose it, so never fetch it. Absent in 2013.
	CallbackURL wire.Optional[string] `json:"callback_url,omitzero"`
	PushData    PushData              `json:"push_data"`
	Repository  Repository            `json:"repository"`
	// DHIMetadata is the change log of a mirrored Docker Hardened Image, an object
	// by manifest digest, as it came. Its format may change. Nil where absent.
	DHIMetadata json.RawMessage `json:"dhi_metadata,omitzero"`
}

// PushData is what was pushed, by whom and when.
type PushData struct {
	// PushedAt is sent in UNIX seconds; samples that write it with an exponent are
	// read exactly too.
	PushedAt wire.Time `json:"pushed_at,omitzero"`
	// Pusher is the Docker Hub user name. For an organisation's repository it is
	// not the owner.
	Pusher string `json:"pusher"`
	// Tag is absent in bodies before mid-2015.
	Tag wire.Optional[Tag] `json:"tag,omitzero"`
	// Images is deprecated: a list of hashes in old automated builds, null for all
	// but one tag in 2015, empty or absent since. It never told the digest.
	Images wire.Optional[[]string] `json:"images,omitzero"`
	// MediaType is that of the manifest, seen in 2022 and never documented: do not
	// choose by exact values.
	MediaType wire.Optional[string] `json:"media_type,omitzero"`
}

// Repository is where it was pushed to.
type Repository struct {
	// RepoName is namespace/name.
	RepoName  string `json:"repo_name"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Owner     string `json:"owner"` // the same as Namespace in all samples
	// RepoURL is the repository's page, in one of two forms:
	// https://hub.docker.com/r/ns/name, and https://registry.hub.docker.com/u/ns/name/
	// in old bodies.
	RepoURL     string                `json:"repo_url"`
	Status      string                `json:"status"` // only "Active" was ever seen
	Description wire.Optional[string] `json:"description,omitzero"`
	// FullDescription is the README, large or null.
	FullDescription wire.Optional[string] `json:"full_description,omitzero"`
	// Dockerfile is there for automated builds only.
	Dockerfile wire.Optional[string] `json:"dockerfile,omitzero"`
	IsPrivate  bool                  `json:"is_private"`
	IsTrusted  bool                  `json:"is_trusted"` // an automated build
	IsOfficial bool                  `json:"is_official"`
	StarCount  int                   `json:"star_count"`
	// CommentCount was text in old samples and is absent in bodies of 2022.
	CommentCount wire.Int  `json:"comment_count,omitzero"`
	DateCreated  wire.Time `json:"date_created,omitzero"` // UNIX seconds
}

// EventType returns "dockerhub.push".
func (Push) EventType() string { return "dockerhub.push" }

// Tag returns the tag that was pushed, empty where none was told.
func (p Push) Tag() Tag { return p.PushData.Tag.Or("") }

// Image returns the image as one would pull it, such as "acme/app:1.4.0". It
// equals the delivery's ordering key. Without a tag it is the repository alone,
// which means latest to docker pull but says nothing on what was pushed; the
// delivery has no ordering key then.
//
// Nothing is checked here: a program that hands it to a command line first asks
// [Tag.Valid] and whether the repository is one that it expects.
func (p Push) Image() string {
	return withTag(p.Repository.RepoName, p.Tag())
}

// Reference returns Image fully qualified, such as
// "docker.io/acme/app:1.4.0". An official image, whose name has no namespace,
// is in docker.io/library.
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
