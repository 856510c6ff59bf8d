package dockerhub_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestTheSampleBodyIsAPush(t *testing.T) {
	body := webhooktest.DockerHubPush()
	d := open(t, body)
	if d.Type != "dockerhub.push" || d.OrderingKey != "acme/app:1.4.0" {
		t.Errorf("got type %q and ordering key %q", d.Type, d.OrderingKey)
	}
	again, err := json.Marshal(decode(t, body))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(asMap(t, body), asMap(t, again)); diff != "" {
		t.Errorf("decoded and encoded (-sent +got):\n%s", diff)
	}
}
