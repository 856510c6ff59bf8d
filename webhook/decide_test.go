package webhook

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecideFollowsThePolicyOfTheType(t *testing.T) {
	w := &Worker{MaxAttempts: 5, Types: map[string]Policy{"alpha.event": {MaxAttempts: 2, RetryOutOfOrder: new(true)}}}
	for _, test := range []struct {
		name    string
		typ     string
		attempt int
		want    Outcome
	}{
		{"the last attempt of the type", "alpha.event", 2, Outcome{State: Dead, Reason: "boom"}},
		{"an attempt of the type before", "alpha.event", 1, Outcome{State: Waiting, Reason: "boom", RetryOutOfOrder: true}},
		{"another type", "alpha.other", 2, Outcome{State: Waiting, Reason: "boom"}},
		{"no delivery", "", 2, Outcome{State: Waiting, Reason: "boom"}},
		{"no attempt", "", 0, Outcome{State: Waiting, Reason: "boom"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Claim{Attempt: test.attempt}
			if test.typ != "" {
				c.Delivery = &Delivery{Type: test.typ}
			}
			got := w.Decide(t.Context(), c, errors.New("boom"))
			got.Delay = 0
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecideSurvivesAnErrorWhoseMethodPanics(t *testing.T) {
	var broken *fs.PathError // its Error method panics
	got := new(Worker).Decide(t.Context(), Claim{Attempt: 1}, broken)
	if got.State != Waiting || !strings.HasPrefix(got.Reason, ErrPanic.Error()) {
		t.Errorf("Decide = %+v, want a retry because of a panic", got)
	}
}
