package github

// A Create is the payload of "create", which GitHub sends when a branch or a
// tag is created. It does not contain the commit. GitHub also sends a push of
// the same ref, which does.
type Create struct {
	Ref          string  `json:"ref"`      // the short name, unlike that of a push; see FullRef
	RefType      string  `json:"ref_type"` // "branch" or "tag"
	MasterBranch string  `json:"master_branch"`
	Description  *string `json:"description"` // of the repository
	PusherType   string  `json:"pusher_type"` // "user" or "deploy_key"
	Origin
}

// EventType returns "github.create".
func (Create) EventType() string { return "github.create" }

// Check implements [webhook.Checker]. It returns an error if the document is
// not JSON or is ambiguous, as the package comment describes.
func (Create) Check(document []byte) error { return check("create", document) }

// FullRef returns the full name of the ref, such as "refs/heads/main", as a
// push has it. It returns "" if RefType is neither "branch" nor "tag".
func (c Create) FullRef() string { return fullRef(c.RefType, c.Ref) }

// A Delete is the payload of "delete", which GitHub sends when a branch or a
// tag is deleted.
type Delete struct {
	Ref        string `json:"ref"`      // the short name, unlike that of a push; see FullRef
	RefType    string `json:"ref_type"` // "branch" or "tag"
	PusherType string `json:"pusher_type"`
	Origin
}

// EventType returns "github.delete".
func (Delete) EventType() string { return "github.delete" }

// Check implements [webhook.Checker]. It returns an error if the document is
// not JSON or is ambiguous, as the package comment describes.
func (Delete) Check(document []byte) error { return check("delete", document) }

// FullRef returns the full name of the ref, such as "refs/heads/main", as a
// push has it. It returns "" if RefType is neither "branch" nor "tag".
func (d Delete) FullRef() string { return fullRef(d.RefType, d.Ref) }

// fullRef returns the full name of a ref, or "" if the type is unknown.
func fullRef(refType, ref string) string {
	prefix := refPrefix(refType)
	if prefix == "" || ref == "" {
		return ""
	}
	return prefix + ref
}

// refPrefix returns the prefix of full names of refs, or "" for an unknown
// type.
func refPrefix(refType string) string {
	switch refType {
	case "branch":
		return branchPrefix
	case "tag":
		return tagPrefix
	default:
		return ""
	}
}
