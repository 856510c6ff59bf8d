package github

import "github.com/hookhouse/hookhouse/webhook/wire"

// A Ping is the payload of "ping", which GitHub sends when a hook is created
// and when somebody requests it. It has every field that GitHub documents. A
// ping only needs an answer, which a [webhook.Receiver] gives without a
// callback.
type Ping struct {
	Zen    string `json:"zen"` // a random sentence
	HookID int64  `json:"hook_id"`
	Hook   Hook   `json:"hook"`

	Repository   *Repository   `json:"repository,omitempty"`   // set for a repository's hook
	Organization *Organization `json:"organization,omitempty"` // set for an organisation's hook
	Enterprise   *Enterprise   `json:"enterprise,omitempty"`
	Sender       *User         `json:"sender,omitempty"`
}

// EventType returns "github.ping".
func (Ping) EventType() string { return "github.ping" }

// A Hook describes the webhook that GitHub calls.
type Hook struct {
	Type      string     `json:"type"` // "Repository", "Organization" or "App"
	ID        int64      `json:"id"`
	Name      string     `json:"name"` // "web"
	Active    bool       `json:"active"`
	AppID     int64      `json:"app_id,omitempty"` // set for a GitHub App's hook
	Events    []string   `json:"events"`           // names of events, or the single element "*"
	Config    HookConfig `json:"config"`
	CreatedAt wire.Time  `json:"created_at,omitzero"`
	UpdatedAt wire.Time  `json:"updated_at,omitzero"`

	URL           string        `json:"url"`
	PingURL       string        `json:"ping_url"`
	TestURL       string        `json:"test_url,omitempty"`       // absent for an organisation's hook
	DeliveriesURL string        `json:"deliveries_url,omitempty"` // absent from old servers
	LastResponse  *HookResponse `json:"last_response,omitempty"`  // set for a repository's hook
}

// A HookConfig has the URL of a hook and the form in which it sends deliveries.
type HookConfig struct {
	ContentType string `json:"content_type,omitempty"` // "json" or "form"
	URL         string `json:"url,omitempty"`
	// InsecureSSL is 1 if GitHub does not verify the server's certificate. It
	// is sent as text.
	InsecureSSL wire.Int `json:"insecure_ssl,omitzero"`
	// Secret is masked: "********".
	Secret string `json:"secret,omitempty"`
}

// A HookResponse is the answer to the last delivery of the hook.
type HookResponse struct {
	Code    *int64  `json:"code"`
	Status  string  `json:"status"` // "unused" before the first delivery
	Message *string `json:"message"`
}
