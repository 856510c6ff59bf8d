package kuduhooks_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/kudu/kudutest"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// The client does the same with Kudu and with this package.
func TestClientAgainstBothSites(t *testing.T) {
	for name, site := range map[string]http.Handler{"kudutest": &kudutest.Server{}, "kuduhooks": newRig()} {
		t.Run(name, func(t *testing.T) {
			c, err := kudu.NewClient("https://app.scm.example", nil)
			if err != nil {
				t.Fatal(err)
			}
			c.Transport = webhooktest.InMemory(site)
			testClient(t, c)
		})
	}
}

func testClient(t *testing.T, c *kudu.Client) {
	ctx := t.Context()
	wanted := kudu.Hook{URL: "https://hook:s3cret@ci.example.com/hooks/Kudu", Event: kudu.EventPostDeployment}
	check := func(what string, want, got any, err error) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", what, err, diff)
		}
	}

	list, err := c.List(ctx)
	check("the list without hooks", 0, len(list), err)
	made, err := c.Subscribe(ctx, wanted)
	wanted.ID = made.ID
	check("subscribe", wanted, made, err)
	check("18 digits", 18, len(made.ID), nil)
	again, err := c.Subscribe(ctx, kudu.Hook{URL: "HTTPS://hook:s3cret@ci.example.com/hooks/kudu", Event: "postdeployment", InsecureSSL: true})
	check("subscribe again", made, again, err)
	got, err := c.Get(ctx, made.ID)
	check("get", made, got, err)
	list, err = c.List(ctx)
	check("list", []kudu.Hook{made}, list, err)

	if _, err := c.Subscribe(ctx, kudu.Hook{URL: wanted.URL, Event: "Other"}); !errors.Is(err, kudu.ErrHookConflict) {
		t.Errorf("another event: %v", err)
	}
	ensured, err := c.Ensure(ctx, kudu.Hook{URL: wanted.URL, Event: "Other", InsecureSSL: false})
	check("ensure", "Other", ensured.Event, err)
	if _, err := c.Get(ctx, made.ID); !errors.Is(err, kudu.ErrHookNotFound) {
		t.Errorf("the hook that ensure has replaced: %v", err)
	}
	for _, event := range []string{"NobodyWantsIt", "a b ü?"} {
		check("publish", nil, nil, c.Publish(ctx, event, map[string]string{"A": "b"}))
	}
	for range 2 { // the second call finds no hook
		check("unsubscribe", nil, nil, c.Unsubscribe(ctx, ensured.ID))
	}
	list, err = c.List(ctx)
	check("the list at the end", 0, len(list), err)
}
