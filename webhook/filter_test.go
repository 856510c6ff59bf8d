package webhook_test

import (
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestFilterValidateNamesTheField(t *testing.T) {
	for want, f := range map[string]webhook.Filter{
		"": {States: []webhook.State{webhook.Waiting, webhook.Blocked, webhook.Claimed, webhook.Done, webhook.Dead, webhook.Superseded, webhook.Ignored}, Before: 1, Limit: 1},
		`webhook: Filter.States has "Dead", which is not a state; the states are waiting, blocked, claimed, done, dead, superseded, ignored`: {States: []webhook.State{webhook.Dead, "Dead"}},
		`webhook: Filter.States has "", which is not a state; the states are waiting, blocked, claimed, done, dead, superseded, ignored`:     {States: []webhook.State{""}},
		`webhook: Filter.Before is -1, which is negative`:                     {Before: -1},
		`webhook: Filter.Limit is -2, which is negative; zero means no limit`: {Limit: -2},
	} {
		got := ""
		if err := f.Validate(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
