package webhook_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestCoalesceTypesOverrideCoalesce(t *testing.T) {
	second := webhook.Coalesce{Quiet: time.Second}
	types := map[string]webhook.Coalesce{"acme.push": webhook.NewestOnly(), "acme.build": {}, "acme.unknown": second}
	for _, test := range []struct {
		typ, key string
		want     webhook.Coalesce
	}{
		{"acme.push", "key", webhook.NewestOnly()},
		{"acme.push", "", webhook.Coalesce{}}, // has no ordering key
		{"acme.build", "key", webhook.Coalesce{}},
		{"acme.other", "key", webhook.Coalesce{Quiet: time.Minute, Max: time.Hour}},
		{"", "key", second}, // becomes acme.unknown
	} {
		src := sourceOf(webhook.Description{Type: test.typ, OrderingKey: test.key})
		src.Coalesce = webhook.Coalesce{Quiet: time.Minute, Max: time.Hour}
		src.CoalesceTypes = types
		if err := src.Validate(); err != nil {
			t.Fatal(err)
		}
		d, err := src.Open(httptest.NewRequest("POST", "/", nil), nil)
		if err != nil || d.Coalesce != test.want {
			t.Errorf("type %q, key %q: got %v, %v, want %v", test.typ, test.key, d.Coalesce, err, test.want)
		}
	}
}

func TestValidateNamesWhatIsWrongWithCoalesce(t *testing.T) {
	for says, change := range map[string]func(*webhook.Source){
		`Coalesce: the Quiet of -1s is negative`:              func(s *webhook.Source) { s.Coalesce.Quiet = -time.Second },
		`Coalesce: the Max of -1s is negative`:                func(s *webhook.Source) { s.Coalesce = webhook.Coalesce{Quiet: 1, Max: -time.Second} },
		`Coalesce: the Max of 1s without Quiet has no effect`: func(s *webhook.Source) { s.Coalesce.Max = time.Second },
		`CoalesceTypes has an empty type`:                     func(s *webhook.Source) { s.CoalesceTypes = map[string]webhook.Coalesce{"": {}} },
		`CoalesceTypes has the type "push"; a type has the source's name as its prefix: want "acme.push"`: func(s *webhook.Source) {
			s.CoalesceTypes = map[string]webhook.Coalesce{"push": webhook.NewestOnly()}
		},
		`CoalesceTypes has the type ".push"; a type has the source's name as its prefix: want "acme.push"`: func(s *webhook.Source) {
			s.CoalesceTypes = map[string]webhook.Coalesce{".push": webhook.NewestOnly()}
		},
		`CoalesceTypes has the type "acme."; a type has the source's name`: func(s *webhook.Source) {
			s.CoalesceTypes = map[string]webhook.Coalesce{"acme.": webhook.NewestOnly()}
		},
		`CoalesceTypes["acme.push"]: the Quiet of -1s is negative`:     func(s *webhook.Source) { s.CoalesceTypes = coalesceOfPush(-time.Second, 0) },
		`CoalesceTypes["acme.push"]: the Max of -1ns is negative`:      func(s *webhook.Source) { s.CoalesceTypes = coalesceOfPush(1, -1) },
		`CoalesceTypes["acme.push"]: the Max of 1m0s without Quiet`:    func(s *webhook.Source) { s.CoalesceTypes = coalesceOfPush(0, time.Minute) },
		`CoalesceTypes: the type "a\x00" is too long or not plain`:     func(s *webhook.Source) { s.CoalesceTypes = map[string]webhook.Coalesce{"a\x00": {}} },
		`CoalesceTypes: the type "` + strings.Repeat("a", 64) + `" is`: func(s *webhook.Source) { s.CoalesceTypes = map[string]webhook.Coalesce{strings.Repeat("a", 256): {}} },
	} {
		src := recvSource()
		change(&src)
		if err := src.Validate(); err == nil || !strings.Contains(err.Error(), "source "+src.Name+": "+says) {
			t.Errorf("got %v, want an error that says %s", err, says)
		}
	}
}

func coalesceOfPush(quiet, limit time.Duration) map[string]webhook.Coalesce {
	return map[string]webhook.Coalesce{"acme.push": {Quiet: quiet, Max: limit}}
}

// A Source can have the Describe of another one, under a name of its own.
func TestCoalesceTypesOfAnotherSourceAreLoggedOnce(t *testing.T) {
	for want, types := range map[string]map[string]webhook.Coalesce{
		"":                         {"acme.push": webhook.NewestOnly(), "acme.unknown": {}},
		"[gilthub.push other.x.y]": {"acme.push": webhook.NewestOnly(), "other.x.y": {}, "gilthub.push": {}},
	} {
		src := recvSource()
		src.CoalesceTypes = types
		rc := webhook.NewReceiver(src, recvOK)
		var log *recvLog
		rc.Logger, log = recvLogger()
		for range 2 {
			recvServe(rc, httptest.NewRequest("POST", "/", strings.NewReader("{}")))
		}
		var got []string
		for _, line := range warned(t, log, "CoalesceTypes") {
			got = append(got, fmt.Sprint(line["types"]))
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("logged %q, want %q", got, want)
		}
	}
}
