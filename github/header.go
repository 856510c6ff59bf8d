package github

// The headers of a delivery (github/docs: webhook-events-and-payloads). None of
// them is covered by the signature.
const (
	EventHeader    = "X-GitHub-Event"    // the event's name: "push"; the body does not say it
	DeliveryHeader = "X-GitHub-Delivery" // a GUID of the event, the same at all hooks and on a redelivery
	HookIDHeader   = "X-GitHub-Hook-ID"  // decimal

	// TargetTypeHeader says what the hook belongs to: "repository",
	// "organization", "integration" for a GitHub App; TargetIDHeader has its id.
	TargetTypeHeader = "X-GitHub-Hook-Installation-Target-Type"
	TargetIDHeader   = "X-GitHub-Hook-Installation-Target-ID"

	// SignatureHeader carries "sha256=" and 64 hex digits, SHA1SignatureHeader
	// "sha1=" and 40. Both are sent only where the hook has a secret.
	SignatureHeader     = "X-Hub-Signature-256"
	SHA1SignatureHeader = "X-Hub-Signature"

	// EnterpriseVersionHeader and EnterpriseHostHeader are sent by GitHub
	// Enterprise Server only.
	EnterpriseVersionHeader = "X-GitHub-Enterprise-Version"
	EnterpriseHostHeader    = "X-GitHub-Enterprise-Host"
)
