package github

import "github.com/hookhouse/hookhouse/webhook/wire"

// A Ping is the payload of "ping", which is sent when a hook is made and when
// someone asks for it. Every field that GitHub documents is kept. There is
// nothing to do but to answer, which a [webhook.Receiver] does without a
// callback.
type Ping struct {
	Zen    string `json:"zen"`
	HookID int64  `json:"hook_id"`
	Hook   Hook   `json:"hook"`

	Repository   *Repository   `json:"repository,omitempty"`   // of a repository's hook
	Organization *Organization `json:"organization,omitempty"` // of an organisation's hook
	Enterprise   *Enterprise   `json:"enterprise,omitempty"`
	Sender       *User         `json:"sender,omitempty"`
}

// EventType returns "github.ping".
func (Ping) EventType() string { return "github.ping" }

// A Hook is the webhook itself.
type Hook struct {
	Type      string     `json:"type"` // "Repository", "Organization" or "App"
	ID        int64      `json:"id"`
	Name      string     `json:"name"` // "web"
	Active    bool       `json:"active"`
	AppID     int64      `json:"app_id,omitempty"` // of a GitHub App's hook
	Events    []string   `json:"events"`           // may be just "*"
	Config    HookConfig `json:"config"`
	CreatedAt wire.Time  `json:"created_at,omitzero"`
	UpdatedAt wire.Time  `json:"updated_at,omitzero"`

	URL           string        `json:"url"`
	PingURL       string        `json:"ping_url"`
	TestURL       string        `json:"test_url,omitempty"`       // not of an organisation's hook
	DeliveriesURL string        `json:"deliveries_url,omitempty"` // not from old servers
	LastResponse  *HookResponse `json:"last_response,omitempty"`  // of a repository's hook
}

// A HookConfig says where and how a hook sends.
type HookConfig struct {
	ContentType string   `json:"content_type,omitempty"` // "json" or "form"
	URL         string   `json:"url,omitempty"`
	InsecureSSL wire.Int `json:"insecure_ssl,omitzero"` // 1 where certificates are not verified; sent as text
	Secret      string   `json:"secret,omitempty"`      // masked: "********"
}

// A HookResponse is what the hook's last delivery was answered.
type HookResponse struct {
	Code    *int64  `json:"code"`
	Status  string  `json:"status"` // "unused" before the first
	Message *string `json:"message"`
}
