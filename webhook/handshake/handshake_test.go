package handshake_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/handshake"
)

// A call is a request as a Func gets it. It is verified if label is not empty.
type call struct{ method, target, origin, body, label string }

func (c call) to(f handshake.Func) *webhook.Answer {
	r := httptest.NewRequest(c.method, c.target, nil)
	if c.origin != "" {
		r.Header["Webhook-Request-Origin"] = strings.Split(c.origin, "|")
	}
	if c.label == "" {
		return f(r, []byte(c.body), nil)
	}
	return f(r, []byte(c.body), &webhook.Proof{KeyLabel: c.label})
}

// summary returns an answer in one line, "none" if there is none.
func summary(a *webhook.Answer) string {
	if a == nil {
		return "none"
	}
	status := a.Status
	if status == 0 {
		status = http.StatusOK
	}
	return fmt.Sprintf("%d %s %s", status, a.Header.Get("Content-Type"), a.Body)
}

const (
	none      = "none"
	plainText = "text/plain; charset=utf-8"
)

// A row is a call and the summary of its answer.
type row struct {
	name string
	call call
	want string
}

func check(t *testing.T, f handshake.Func, rows []row) {
	t.Helper()
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, summary(tt.call.to(f))); diff != "" {
				t.Errorf("answer (-want +got):\n%.600s", diff)
			}
		})
	}
}

func post(body string) call { return call{method: "POST", target: "/", body: body, label: "1"} }

func TestSlack(t *testing.T) {
	challenge := func(s string) call {
		return post(`{"token":"x","challenge":"` + s + `","type":"url_verification"}`)
	}
	unverified := challenge("abc")
	unverified.label = ""
	long := strings.Repeat("a", 256)
	check(t, handshake.Slack, []row{
		{"a challenge", challenge("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"), "200 " + plainText + " 3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"},
		{"each plain character", challenge("aZ09-_.~+/="), "200 " + plainText + " aZ09-_.~+/="},
		{"the longest", challenge(long), "200 " + plainText + " " + long},
		{"too long", challenge(long + "a"), none},
		{"unverified", unverified, none},
		{"empty", challenge(""), none},
		{"markup", challenge("<script>"), none},
		{"a line", challenge(`a\r\nb`), none},
		{"a space", challenge("a b"), none},
		{"another letter", challenge("é"), none},
		{"an event that quotes it", post(`{"type":"event_callback","challenge":"abc","event":{"type":"url_verification"}}`), none},
		{"another case", post(`{"Type":"url_verification","Challenge":"abc"}`), none},
		{"a number", post(`{"type":"url_verification","challenge":1}`), none},
		{"no challenge", post(`{"type":"url_verification"}`), none},
		{"a form", post("payload=%7B%22type%22%3A%22url_verification%22%7D"), none},
		{"a large body", post(`{"type":"url_verification","challenge":"abc","x":"` + strings.Repeat("x", 8<<10) + `"}`), none},
		{"no object", post(`["url_verification"]`), none},
		{"null", post("null"), none},
		{"an empty body", post(""), none},
	})
}

func TestZoom(t *testing.T) {
	old, now := webhook.NewSecret("old"), webhook.NewSecret("It's a Secret to Everybody")
	event := func(label string) call {
		c := post(`{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680,"event":"endpoint.url_validation"}`)
		c.label = label
		return c
	}
	// printf %s qgg8vlvZRS6UYooatFL8Aw | openssl dgst -sha256 -hmac KEY
	const byNow = `200 application/json {"plainToken":"qgg8vlvZRS6UYooatFL8Aw","encryptedToken":"34695fa238d44562f131448d95b5f5df2e52e07c8793d7f2dc630f6159e5cd5e"}`
	const byOld = `200 application/json {"plainToken":"qgg8vlvZRS6UYooatFL8Aw","encryptedToken":"b39344aa6b7d05b92252155d9d409e36b92c85646a0fe3d5087082fbc8f7fc32"}`
	t.Run("one key", func(t *testing.T) {
		check(t, handshake.Zoom(webhook.Key{Secret: now}), []row{
			{"an event", event("any"), byNow},
			{"unverified", event(""), none},
			{"another event", post(`{"event":"meeting.started","payload":{"plainToken":"a","x":"endpoint.url_validation"}}`), none},
			{"no payload", post(`{"event":"endpoint.url_validation"}`), none},
			{"a payload of another kind", post(`{"event":"endpoint.url_validation","payload":["plainToken"]}`), none},
			{"a token that is not plain", post(`{"event":"endpoint.url_validation","payload":{"plainToken":"a\"b"}}`), none},
			{"a token that is empty", post(`{"event":"endpoint.url_validation","payload":{"plainToken":""}}`), none},
		})
	})
	t.Run("two keys", func(t *testing.T) {
		check(t, handshake.Zoom(webhook.Keys(old, now)...), []row{
			{"the first", event("1"), byOld},
			{"the second", event("2"), byNow},
			{"neither", event("3"), none},
		})
	})
}

func TestDiscord(t *testing.T) {
	const event = `{"version":1,"application_id":"1234560123453231555","type":1,"event":{"type":"APPLICATION_AUTHORIZED"}}`
	const ping = `{"version":1,"application_id":"1234560123453231555","type":0}`
	const interaction = `{"id":"1","application_id":"2","type":1,"token":"t","version":1,"entitlements":[]}`
	unverified := func(body string) call { return call{method: "POST", target: "/", body: body} }
	t.Run("events", func(t *testing.T) {
		check(t, handshake.DiscordEvents, []row{
			{"a PING", post(ping), "204 application/json "},
			{"unverified", unverified(ping), none},
			{"an event", post(event), none},
			{"an interaction", post(interaction), none},
			{"text", post(`{"type":"0"}`), none},
			{"no type", post(`{"event":{"type":0}}`), none},
		})
	})
	t.Run("interactions", func(t *testing.T) {
		check(t, handshake.DiscordInteractions, []row{
			{"a PING", post(interaction), `200 application/json {"type":1}`},
			{"unverified", unverified(interaction), none},
			{"a webhook event, which has the same type", post(event), none},
			{"a command", post(`{"type":2}`), none},
			{"a PING of events", post(ping), none},
		})
	})
}

// Several Funcs at one address answer each its own.
func TestCombineCallsEachInTurn(t *testing.T) {
	f := handshake.Combine(handshake.Meta(webhook.NewSecret("v")), handshake.Trello, handshake.DiscordEvents, handshake.DiscordInteractions)
	check(t, f, []row{
		{"the first", call{method: "GET", target: "/?hub.mode=subscribe&hub.verify_token=v&hub.challenge=1"}, "200 " + plainText + " 1"},
		{"the second", call{method: "HEAD", target: "/"}, "200  "},
		{"the last", post(`{"type":1,"application_id":"2"}`), `200 application/json {"type":1}`},
		{"none", call{method: "GET", target: "/"}, none},
	})
}

func TestBadSettingsPanic(t *testing.T) {
	key := webhook.Key{Label: "a", Secret: webhook.NewSecret("s")}
	for want, f := range map[string]func(){
		"handshake: Meta has no verify token":                                          func() { handshake.Meta() },
		"handshake: Meta: verify token 2 is empty, so anyone could subscribe":          func() { handshake.Meta(key.Secret, webhook.NewSecret("")) },
		"handshake: Zoom has no keys":                                                  func() { handshake.Zoom() },
		"handshake: Zoom: the secret of key 1 is empty":                                func() { handshake.Zoom(webhook.Key{}) },
		`handshake: Zoom: the label "a" of key 2 is that of another key`:               func() { handshake.Zoom(key, key) },
		"handshake: CloudEvents has no origins":                                        func() { handshake.CloudEvents(0) },
		"handshake: CloudEvents: -1 requests per minute is negative":                   func() { handshake.CloudEvents(-1, "a.example") },
		`handshake: CloudEvents: the origin "*" is not a DNS name`:                     func() { handshake.CloudEvents(0, "a.example", "*") },
		`handshake: CloudEvents: the origin "" is not a DNS name`:                      func() { handshake.CloudEvents(0, "") },
		`handshake: CloudEvents: the origin "https://a.example" is not a DNS name`:     func() { handshake.CloudEvents(0, "https://a.example") },
		"handshake: CloudEvents: the origin \"a.example\\r\\nX: y\" is not a DNS name": func() { handshake.CloudEvents(0, "a.example\r\nX: y") },
		"handshake: Combine has no funcs":                                              func() { handshake.Combine() },
		"handshake: Combine: func 2 is nil":                                            func() { handshake.Combine(handshake.Trello, nil) },
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic %v, want %q", got, want)
				}
			}()
			f()
		}()
	}
}

// What is given to a constructor may change afterwards.
func TestSettingsAreCopied(t *testing.T) {
	tokens, origins := []webhook.Secret{webhook.NewSecret("v")}, []string{"a.example"}
	meta, events := handshake.Meta(tokens...), handshake.CloudEvents(0, origins...)
	tokens[0], origins[0] = webhook.NewSecret("w"), "b.example"
	if got := summary(call{method: "GET", target: "/?hub.mode=subscribe&hub.verify_token=v&hub.challenge=1"}.to(meta)); !strings.HasPrefix(got, "200") {
		t.Errorf("Meta: %s", got)
	}
	if a := (call{method: http.MethodOptions, target: "/", origin: "a.example"}).to(events); a == nil {
		t.Error("CloudEvents: no answer")
	}
}
