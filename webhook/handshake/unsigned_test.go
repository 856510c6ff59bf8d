package handshake_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/handshake"
)

func TestMeta(t *testing.T) {
	get := func(query string) call { return call{method: "GET", target: "/?" + query} }
	const token, mode = "hub.verify_token=meatyhamhock", "hub.mode=subscribe&"
	const wrong, bad = "403 " + plainText + " hub.verify_token is missing, repeated or wrong", "400 " + plainText + " hub.challenge is missing, repeated, too long or not plain"
	verified, posted := get(mode+token+"&hub.challenge=1"), get(mode+token+"&hub.challenge=1")
	verified.label, posted.method = "1", "POST"
	check(t, handshake.Meta(webhook.NewSecret("old"), webhook.NewSecret("meatyhamhock")), []row{
		{"a challenge", get(mode + token + "&hub.challenge=1158201444"), "200 " + plainText + " 1158201444"},
		{"in another order", get("hub.challenge=1&" + token + "&hub.mode=subscribe&x=y"), "200 " + plainText + " 1"},
		{"another token of the list", get(mode + "hub.verify_token=old&hub.challenge=1"), "200 " + plainText + " 1"},
		{"a wrong token", get(mode + "hub.verify_token=meatyhamhoc&hub.challenge=1"), wrong},
		{"an empty token", get(mode + "hub.verify_token=&hub.challenge=1"), wrong},
		{"no token", get(mode + "hub.challenge=1"), wrong},
		{"two tokens", get(mode + token + "&" + token + "&hub.challenge=1"), wrong},
		{"no challenge", get(mode + token), bad},
		{"two challenges", get(mode + token + "&hub.challenge=1&hub.challenge=2"), bad},
		{"markup", get(mode + token + "&hub.challenge=%3Cscript%3E"), bad},
		{"a line", get(mode + token + "&hub.challenge=1%0d%0aX:y"), bad},
		{"too long", get(mode + token + "&hub.challenge=" + strings.Repeat("1", 257)), bad},
		{"another mode", get("hub.mode=unsubscribe&" + token + "&hub.challenge=1"), none},
		{"no mode", get(token + "&hub.challenge=1"), none},
		{"a query that is malformed", get(mode + token + "&hub.challenge=1&%zz"), none},
		{"a query that is too long", get(mode + token + "&hub.challenge=1&x=" + strings.Repeat("x", 8<<10)), none},
		{"no query", get(""), none},
		{"a POST", posted, none},
		{"a request that is verified", verified, none},
	})
}

func TestMicrosoftGraph(t *testing.T) {
	validation := func(token string) call {
		return call{method: "POST", target: "/?clientId=1&validationToken=" + url.QueryEscape(token)}
	}
	const token = "Validation: Testing client application reachability for subscription Request-Id: 46d4ec63-be86-4ea5"
	const bad = "400 " + plainText + " validationToken is empty, too long, or not plain text"
	verified, got := validation(token), validation(token)
	verified.label, got.method = "1", "GET"
	long := strings.Repeat("a", 1024)
	check(t, handshake.MicrosoftGraph, []row{
		{"a token", validation(token), "200 " + plainText + " " + token},
		{"the longest", validation(long), "200 " + plainText + " " + long},
		{"too long", validation(long + "a"), bad},
		{"empty", validation(""), bad},
		{"markup", validation("<script>alert(1)</script>"), bad},
		{"a line", validation("a\r\nb"), bad},
		{"another letter", validation("é"), bad},
		{"two tokens", call{method: "POST", target: "/?validationToken=a&validationToken=b"}, none},
		{"a notification", call{method: "POST", target: "/", body: `{"value":[]}`}, none},
		{"another case", call{method: "POST", target: "/?validationtoken=a"}, none},
		{"a GET", got, none},
		{"a request that is verified", verified, none},
	})
}

func TestCloudEvents(t *testing.T) {
	for _, tt := range []struct {
		name   string
		rate   int
		call   call
		origin string // allowed; empty if there is no answer
		grant  string
	}{
		{"an origin", 120, call{method: "OPTIONS", target: "/", origin: "eventemitter.example.com"}, "eventemitter.example.com", "120"},
		{"without a limit", 0, call{method: "OPTIONS", target: "/", origin: "eventgrid.azure.net"}, "eventgrid.azure.net", "*"},
		{"another origin", 120, call{method: "OPTIONS", target: "/", origin: "evil.example.com"}, "", ""},
		{"another case", 120, call{method: "OPTIONS", target: "/", origin: "EventGrid.azure.net"}, "", ""},
		{"two origins", 120, call{method: "OPTIONS", target: "/", origin: "eventgrid.azure.net|eventgrid.azure.net"}, "", ""},
		{"every origin", 120, call{method: "OPTIONS", target: "/", origin: "*"}, "", ""},
		{"no origin, as of a browser's preflight", 120, call{method: "OPTIONS", target: "/"}, "", ""},
		{"a delivery", 120, call{method: "POST", target: "/", origin: "eventgrid.azure.net"}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := tt.call.to(handshake.CloudEvents(tt.rate, "eventemitter.example.com", "eventgrid.azure.net"))
			if tt.origin == "" {
				if a != nil {
					t.Errorf("answer %v, want none", a.Header)
				}
				return
			}
			want := http.Header{"Allow": {"POST"}, "WebHook-Allowed-Origin": {tt.origin}, "WebHook-Allowed-Rate": {tt.grant}}
			if diff := cmp.Diff(want, a.Header); diff != "" || a.Status != 0 || a.Body != nil {
				t.Errorf("answer %d %q, header (-want +got):\n%s", a.Status, a.Body, diff)
			}
		})
	}
}

func TestTrello(t *testing.T) {
	check(t, handshake.Trello, []row{
		{"HEAD", call{method: "HEAD", target: "/"}, "200  "},
		{"GET", call{method: "GET", target: "/"}, none},
		{"POST", call{method: "POST", target: "/", body: "{}"}, none},
		{"a request that is verified", call{method: "HEAD", target: "/", label: "1"}, none},
	})
}
