package inspect_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

const token = "t0ken-of-the-hook-7f3a"

func TestATokenThatIsMissingOrWrongIsNamed(t *testing.T) {
	keys := []webhook.Key{{Label: "hub", Secret: webhook.NewSecret(token)}}
	inURL := webhook.URLToken(keys...)
	for _, tt := range []struct {
		name     string
		verifier webhook.Verifier
		pattern  string
		target   string
		header   string
		cause    string
		help     string
	}{
		{"none in the path", &webhook.Token{PathValue: "token", Keys: keys}, "/hooks/dockerhub", "/hooks/dockerhub", "", "token_missing", "has no wildcard {token}"},
		{"none in the query", &webhook.Token{Query: "token", Keys: keys}, "/hooks/dockerhub", "/hooks/dockerhub?a=b", "", "token_missing", "The query has the parameter token 0 times"},
		{"two in the query", &webhook.Token{Query: "token", Keys: keys}, "/hooks/dockerhub", "/hooks/dockerhub?token=a&token=b", "", "token_missing", "2 times"},
		{"nowhere in the URL", inURL, "/hooks/dockerhub", "/hooks/dockerhub", "", "token_missing", "No token is in the path"},
		{"none in a header", &webhook.Token{Header: "X-Gitlab-Token", Keys: keys}, "/hooks/gitlab", "/hooks/gitlab", "", "header_missing", "no X-Gitlab-Token"},
		{"no prefix", &webhook.Token{Header: "X-Acme", Prefix: "Key ", Keys: keys}, "/hooks/acme", "/hooks/acme", token, "token_missing", `does not begin with "Key "`},
		{"another in the path", inURL, "/hooks/dockerhub/{token}", "/hooks/dockerhub/an0ther-token", "", "secret_wrong", "is not the secret of source hub"},
		{"a newline in the path", inURL, "/hooks/dockerhub/{token}", "/hooks/dockerhub/" + token + "%0A", "", "sender_secret_padded", "with a newline at its end"},
		{"another in the query", inURL, "/hooks/dockerhub", "/hooks/dockerhub?token=an0ther-token", "", "secret_wrong", "is not the secret"},
	} {
		r := newRig(t)
		mux := http.NewServeMux()
		mux.Handle(tt.pattern, r.receiver(webhook.Source{Name: "hub", Verifier: tt.verifier}))
		request := httptest.NewRequest("POST", tt.target, strings.NewReader("{}"))
		// A proxy that adds the path, in headers of any name.
		request.Header.Set("X-Acme-Was", "it was "+tt.target)
		if tt.header != "" {
			request.Header.Set("X-Acme", tt.header)
		}
		serveCall(mux, request)
		c := r.last()
		if len(c.Why) == 0 || c.Why[0].Cause != tt.cause || c.Pattern != tt.pattern {
			t.Errorf("%s: %d %s %+v", tt.name, c.Status, c.Reason, c.Why)
			continue
		}
		r.requireCause(401, tt.cause, tt.help, []string{token, "an0ther-token"})
	}
}

func TestBasicCredentialsThatAreMissingOrWrongAreNamed(t *testing.T) {
	src := webhook.Source{Name: "kudu", Verifier: &webhook.BasicAuth{Realm: "kudu", Keys: []webhook.Key{{Label: "site", Secret: webhook.NewSecret("p@ssw0rd-of-kudu")}}}}
	r := newRig(t)
	h := r.receiver(src)
	send := func(target string) {
		sender := &webhooktest.Kudu{Transport: webhooktest.InMemory(h)}
		if result := sender.Deliver(t.Context(), target, webhooktest.KuduDeployment()); result.Err != nil {
			t.Fatal(result)
		}
	}
	secrets := []string{"p@ssw0rd-of-kudu", "p%40ssw0rd-of-kudu", "an0ther-password", "aG9vazpw"}
	send("http://hooks.test/hooks/kudu")
	r.requireCause(401, "basic_missing", "no Basic credentials", secrets)
	send("http://hook:p%40ssw0rd-of-kudu@hooks.test/hooks/kudu") // Kudu does not decode it
	r.requireCause(401, "secret_encoded", "percent-encoded", secrets)
	send("http://hook:an0ther-password@hooks.test/hooks/kudu")
	r.requireCause(401, "secret_wrong", `with the label "site" tried`, secrets)
}

func TestAURLThatIsNotTheRegisteredOneIsNamed(t *testing.T) {
	key := webhook.NewSecret("the secret of Square")
	source := func(u string) webhook.Source {
		return webhook.Source{Name: "square", Verifier: &webhook.HMAC{Header: "X-Square-Hmacsha256-Signature", Encoding: webhook.Base64, Signed: "{url}{body}", URL: u, Keys: webhook.Keys(key)}}
	}
	r := newRig(t)
	request := webhooktest.NewRequest(source("https://pay.example/hooks/square?shop=1"), "https://pay.example/hooks/square?shop=1", []byte("{}"))
	serveCall(r.receiver(source("https://pay.example.com/hooks/square")), request)
	r.requireCause(401, "other_url", "at https://pay.example. URL of the verifier is another one", []string{"the secret of Square", "shop=1", "/hooks/square?"}, []byte("{}"))
}

func TestOtherRefusalsHaveAHelpLine(t *testing.T) {
	src := gitHubSource(ours)
	src.MaxBody = 100
	for _, tt := range []struct {
		change func(*http.Request)
		status int
		cause  string
		help   string
	}{
		{func(r *http.Request) { r.Method = "GET" }, 405, "method", "The method is GET"},
		{func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 415, "media_type", `"text/plain"`},
		{func(r *http.Request) { r.ContentLength = 101 }, 413, "too_large", "MaxBody"},
		{func(r *http.Request) { r.Body = http.MaxBytesReader(nil, r.Body, 1) }, 413, "too_large", "MaxBody"},
	} {
		r := newRig(t)
		request := webhooktest.NewRequest(src, "/hooks/github", []byte(`{"a":1}`))
		tt.change(request)
		serveCall(r.receiver(src), request)
		r.requireCause(tt.status, tt.cause, tt.help, []string{ours}, []byte(`{"a":1}`))
	}
}
