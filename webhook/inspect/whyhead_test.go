package inspect_test

import (
	"crypto/sha1"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// without removes headers, as a proxy or an old version of the sender does.
func without(next http.Handler, names ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range names {
			r.Header.Del(name)
		}
		next.ServeHTTP(w, r)
	})
}

func TestAHeaderThatIsMissingIsNamed(t *testing.T) {
	push := webhooktest.GitHubPush()
	const sig, sha1Sig = "X-Hub-Signature-256", "X-Hub-Signature"
	set := func(name, value string) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Header[name] = append(r.Header[name], value)
				next.ServeHTTP(w, r)
			})
		}
	}
	digest := fmt.Sprintf("%x", sha1.Sum(push))
	for _, tt := range []struct {
		name   string
		change func(http.Handler) http.Handler
		cause  string
		help   string
	}{
		{"SHA-1 only", func(h http.Handler) http.Handler { return without(h, sig) }, "sha1_only", "X-Hub-Signature, which begins with sha1=: the sender signs with SHA-1 only"},
		{"none", func(h http.Handler) http.Handler { return without(h, sig, sha1Sig) }, "header_missing", "no X-Hub-Signature-256, and nothing else that looks like a signature"},
		{"twice", set(sig, "sha256=00"), "header_repeated", "2 times"},
		{"SHA-1 in its place", func(h http.Handler) http.Handler { return without(set(sig, "sha1="+digest)(h), sig) }, "sha1_only", `begins with sha1=, and "sha256=" is wanted`},
		{"a colon", func(h http.Handler) http.Handler { return without(set(sig, "sha256:"+digest)(h), sig) }, "digest_prefix", "begins with sha256:"},
		{"no prefix", func(h http.Handler) http.Handler { return without(set(sig, digest)(h), sig) }, "sha1_only", "40 hex digits"},
		{"short", func(h http.Handler) http.Handler { return without(set(sig, "sha256="+digest)(h), sig) }, "digest_size", "40 hex digits, and 64"},
		{"Base64", func(h http.Handler) http.Handler {
			return without(set(sig, "sha256=5d41402abc4b2a76b9719d911017c592XYZ=")(h), sig)
		}, "digest_encoding", "is it Base64"},
		{"something", func(h http.Handler) http.Handler { return without(set(sig, ours)(h), sig) }, "digest_prefix", `does not begin with "sha256="`},
		{"another sender", func(h http.Handler) http.Handler {
			return without(set("X-Acme-Signature", "v1="+digest)(h), sig, sha1Sig)
		}, "header_missing", "X-Acme-Signature, which begins with v1="},
	} {
		r := newRig(t)
		sendGitHub(t, tt.change(r.receiver(gitHubSource(ours))), ours, push)
		c := r.last()
		if len(c.Why) == 0 || c.Why[0].Cause != tt.cause || c.BodyEnd != "unread" || c.Read != 0 {
			t.Errorf("%s: %d %s %+v, %s", tt.name, c.Status, c.Reason, c.Why, c.BodyEnd)
			continue
		}
		r.requireCause(401, tt.cause, tt.help, []string{ours, digest}, push)
	}
}

// jobServSource is the Source of package jobserv.
func jobServSource(secret string) webhook.Source {
	return webhook.Source{Name: "jobserv", Verifier: &webhook.HMAC{Header: "X-JobServ-Sig", Prefix: "sha256:", Keys: []webhook.Key{{Label: "ci", Secret: webhook.NewSecret(secret)}}}}
}

func TestACallOfAnotherRouteIsNamed(t *testing.T) {
	r := newRig(t)
	h := r.receiver(gitHubSource(ours))
	r.receiver(jobServSource(theirs))
	sender := &webhooktest.JobServ{Secret: webhook.NewSecret(theirs), Transport: webhooktest.InMemory(h)}
	synctest.Test(t, func(t *testing.T) {
		sender.Deliver(t.Context(), "http://hooks.test/hooks/github", webhooktest.JobServBuild())
	})
	r.requireCause(401, "other_source", "in which source jobserv looks", []string{ours, theirs}, webhooktest.JobServBuild())

	sendGitHub(t, h, theirs, webhooktest.GitHubPush()) // the secrets of two senders are exchanged
	r.requireCause(401, "other_source", `It is the key with the label "ci" of source jobserv`, []string{ours, theirs}, webhooktest.GitHubPush())

	r.OldKeys = []webhook.Key{{Label: "until May", Secret: webhook.NewSecret("the old secret")}}
	sendGitHub(t, h, "the old secret", webhooktest.GitHubPush())
	r.requireCause(401, "old_key", `It is the key with the label "until May", which is no longer accepted`, []string{ours, theirs, "the old secret"}, webhooktest.GitHubPush())
}

// timedSources are senders that sign the time, by where it is.
func timedSources() map[string]webhook.Source {
	keys := webhook.Keys(webhook.NewSecret("whsec_aXQgaXMgb3VyIHNlY3JldCBvZiAyMDI2"))
	return map[string]webhook.Source{
		"Webhook-Timestamp":         {Name: "standard", Verifier: &webhook.StandardWebhooks{Keys: keys}},
		"Svix-Timestamp":            {Name: "svix", Verifier: &webhook.StandardWebhooks{Keys: keys, HeaderPrefix: "svix-"}},
		"X-Slack-Request-Timestamp": {Name: "slack", Verifier: &webhook.HMAC{Header: "X-Slack-Signature", Prefix: "v0=", Signed: "v0:{timestamp}:{body}", TimestampHeader: "X-Slack-Request-Timestamp", Keys: keys}},
		"Stripe-Signature":          {Name: "stripe", Verifier: &webhook.HMAC{Header: "Stripe-Signature", Items: webhook.Items{Time: "t", Signature: "v1"}, Signed: "{timestamp}.{body}", Keys: keys}},
	}
}

func TestAClockThatIsOffIsNamedByHowMuch(t *testing.T) {
	for header, src := range timedSources() {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			h := r.receiver(src)
			request := webhooktest.NewRequest(src, "/hooks/"+src.Name, []byte("{}")) // as the sender signs it, with its clock
			time.Sleep(12 * time.Minute)
			if w := serveCall(h, request); w.Code != 401 {
				t.Errorf("%s: %d", src.Name, w.Code)
			}
			time.Sleep(time.Hour) // what counts is the time of the call
			r.requireCause(401, "clock", header+" is 12m0s behind the clock here, and 5m0s are allowed", []string{"aXQgaXMgb3VyIHNlY3JldCBvZiAyMDI2", "it is our secret of 2026"}, []byte("{}"))
			if c := r.last(); len(c.Why) != 1 || c.BodyEnd != "unread" {
				t.Errorf("%s: %+v", src.Name, c)
			}
		})
	}
	r := newRig(t)
	src := timedSources()["X-Slack-Request-Timestamp"]
	h := r.receiver(src)
	for text, help := range map[string]string{
		strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10): "the clock of the sender is fast",
		strconv.FormatInt(time.Now().UnixMilli(), 10):           "in milliseconds",
	} {
		request := webhooktest.NewRequest(src, "/hooks/slack", []byte("{}"))
		request.Header.Set("X-Slack-Request-Timestamp", text)
		serveCall(h, request)
		r.requireCause(401, "clock", help, nil)
	}
}

func TestAWrongSecretOfASenderThatSignsTheTimeIsNamedLater(t *testing.T) {
	for _, src := range timedSources() {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			h := r.receiver(src)
			request := webhooktest.NewRequest(src, "/hooks/"+src.Name, []byte(`{"a":1}`))
			request = request.WithContext(t.Context())
			serveCall(proxy(h, func([]byte) []byte { return []byte("{\n  \"a\": 1\n}") }), request)
			time.Sleep(24 * time.Hour) // a person looks the next day
			r.requireCause(401, "body_reencoded", "as compact JSON", []string{"aXQgaXMgb3VyIHNlY3JldCBvZiAyMDI2"}, []byte(`{"a":1}`))
		})
	}
}
