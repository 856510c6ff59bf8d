package github

// A Create is the payload of "create": a branch or a tag was made. A push of the
// same ref is sent as well, and has the commit; this one has none.
type Create struct {
	Ref          string  `json:"ref"`      // bare, unlike that of a push; see FullRef
	RefType      string  `json:"ref_type"` // "branch" or "tag"
	MasterBranch string  `json:"master_branch"`
	Description  *string `json:"description"` // the repository's
	PusherType   string  `json:"pusher_type"` // "user", or "deploy_key"
	Origin
}

// EventType returns "github.create".
func (Create) EventType() string { return "github.create" }

// Check implements [webhook.Checker].
func (Create) Check(document []byte) error { return check("create", document) }

// FullRef returns the ref as a push has it, "refs/heads/main"; empty for a type
// of ref that is neither branch nor tag.
func (c Create) FullRef() string { return fullRef(c.RefType, c.Ref) }

// A Delete is the payload of "delete": a branch or a tag is gone.
type Delete struct {
	Ref        string `json:"ref"`      // bare, unlike that of a push; see FullRef
	RefType    string `json:"ref_type"` // "branch" or "tag"
	PusherType string `json:"pusher_type"`
	Origin
}

// EventType returns "github.delete".
func (Delete) EventType() string { return "github.delete" }

// Check implements [webhook.Checker].
func (Delete) Check(document []byte) error { return check("delete", document) }

// FullRef returns the ref as a push has it, "refs/heads/main"; empty for a type
// of ref that is neither branch nor tag.
func (d Delete) FullRef() string { return fullRef(d.RefType, d.Ref) }

func fullRef(refType, ref string) string {
	prefix := refPrefix(refType)
	if prefix == "" || ref == "" {
		return ""
	}
	return prefix + ref
}

// refPrefix is what makes a bare ref whole; empty for an unknown type.
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
