package stored

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/rule"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/target"
)

// A later version reads what an earlier one has stored, so these texts do not change.
func TestStoredTextsKeepTheirForm(t *testing.T) {
	const release = `{"Tag":"1.5.0","Received":"2026-01-02T03:04:05.000006Z"}`
	for name, test := range map[string]struct {
		text string
		to   any
	}{
		"a state": {`{"Rule":"acme/app:^1=service:web","Wanted":` + release + `,"Deployed":` + release +
			`,"Identity":"sha256:5b+0a","Rejected":"sha256:6c+0a","Previous":{"Image":"sha256:7d","Digest":"sha256:8e","Tag":"1.4.0"}}`, new(State)},
		"a state with denials": {`{"Rule":"acme/app:^1=service:web","Wanted":` + release + `,"Deployed":` + release +
			`,"Identity":"sha256:5b+0a","Rejected":"sha256:6c+0a sha256:7d","Previous":{"Image":"","Digest":"","Tag":""},` +
			`"Denied":{"By":"o1","Since":"2026-01-02T03:04:05Z"}}`, new(State)},
		"an empty state": {`{"Rule":"","Wanted":{"Tag":"","Received":"0001-01-01T00:00:00Z"},"Deployed":{"Tag":"","Received":"0001-01-01T00:00:00Z"},` +
			`"Identity":"","Rejected":"","Previous":{"Image":"","Digest":"","Tag":""}}`, new(State)},
	} {
		if err := json.Unmarshal([]byte(test.text), test.to); err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(test.to)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != test.text {
			t.Errorf("%s: got %s, want %s", name, got, test.text)
		}
	}
}

// The push of a fixed version, which is older than the rejected one, must not let a lookup
// order the rejected one again.
func TestRejectedImageIsTriedAgainByItsOwnPushOnly(t *testing.T) {
	r, err := rule.Parse("acme/app:^1=exec:web", "")
	if err != nil {
		t.Fatal(err)
	}
	s := State{Rule: r.Text, Deployed: rule.Release{Tag: "1.4.0"}, Identity: "good", Rejected: "bad worse"}
	for _, test := range []struct {
		tag, pushed string
		want        target.Rejected
	}{{"1.4.1", "fixed", "bad worse"}, {"1.4.1", "", "bad worse"}, {"1.5.0", "bad", "worse"}} {
		if !s.Want(r, rule.Release{Tag: dockerhub.Tag(test.tag), Received: time.Now()}, test.pushed) || s.Rejected != test.want {
			t.Errorf("after the push of %s: rejected %q, want %q", test.tag, s.Rejected, test.want)
		}
	}
}
