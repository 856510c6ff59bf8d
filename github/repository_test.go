package github_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
)

// GitHub's OpenAPI description has null or the account in all events but push.
func TestTheOrganizationOfARepositoryIsANameOrAnAccount(t *testing.T) {
	for token, want := range map[string]github.Login{
		`"acme"`:                    "acme",
		`""`:                        "",
		`null`:                      "",
		`{"login":"acme","id":1}`:   "acme",
		` {"id":1,"login":null}`:    "",
		`{}`:                        "",
		"\n{\"Id\":\"x\",\"a\":{}}": "",
	} {
		body := `{"action":"released","release":{},"repository":{"full_name":"acme/app","organization":` + token + `}}`
		e, err := webhook.Decode[github.Release](&webhook.Delivery{Body: []byte(body)})
		if err != nil || e.Payload.Repository.Organization != want {
			t.Errorf("%s: got %v, %v, want %q", token, e, err, want)
			continue
		}
		again, err := json.Marshal(e.Payload.Repository)
		if has := strings.Contains(string(again), `"organization":"acme"`); err != nil || has != (want != "") {
			t.Errorf("%s: encoded as %s, %v", token, again, err)
		}
	}
	for _, token := range []string{"1", "[]", "true", `{"login":1}`} {
		body := `{"repository":{"organization":` + token + `}}`
		if _, err := webhook.Decode[github.Release](&webhook.Delivery{Body: []byte(body)}); err == nil {
			t.Errorf("%s is no error", token)
		}
	}
}
