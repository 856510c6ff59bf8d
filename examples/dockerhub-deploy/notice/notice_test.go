package notice

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

var rolledBack = Result{Target: "run:web", Rule: "acme/app:^1=run:web.options", Image: "acme/app:1.4.0", Digest: "sha256:5b", Outcome: RolledBack, Reason: "it <ends>", Seconds: 7}

// What is stored is read by later versions, so neither the UID nor the body may change.
func TestDeliveriesAreStoredInOneForm(t *testing.T) {
	cs := Channels{{name: "notify"}, {name: "notify-exec"}}
	type stored struct{ UID, Type, Key, Body string }
	var got []stored
	for _, d := range cs.Deliveries("o1", rolledBack) {
		got = append(got, stored{d.UID, d.Type, d.OrderingKey, string(d.Body)})
	}
	const rest = `"result":{"target":"run:web","rule":"acme/app:^1=run:web.options","image":"acme/app:1.4.0","digest":"sha256:5b",` +
		`"outcome":"rolled back","reason":"it \u003cends\u003e","seconds":7}}`
	want := []stored{
		{"o1-rolled back-notify", "deploy.notice", "", `{"channel":"notify",` + rest},
		{"o1-rolled back-notify-exec", "deploy.notice", "", `{"channel":"notify-exec",` + rest},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the deliveries (-want +got):\n%s", diff)
	}
	if all := cs.Deliveries("o1", Result{Outcome: Unchanged}); len(all) > 0 {
		t.Errorf("%d deliveries for what is unchanged", len(all))
	}
}

func TestSendChoosesTheChannel(t *testing.T) {
	var sent []string
	channel := func(name string, err error) Channel {
		return Channel{name, func(_ context.Context, r Result) error {
			sent = append(sent, name+" "+r.Target)
			return err
		}}
	}
	cs := Channels{channel("notify", nil), channel("notify-exec", io.ErrUnexpectedEOF)}
	for name, want := range map[string]error{"notify": nil, "notify-exec": io.ErrUnexpectedEOF, "notify-slack": ErrNoChannel} {
		sent = nil
		err := cs.Send(t.Context(), Notice{name, rolledBack})
		if !errors.Is(err, want) || err != nil && !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v, want %v with the name of the channel", name, err, want)
		}
		if got := strings.Join(sent, ","); want != ErrNoChannel && got != name+" run:web" || want == ErrNoChannel && got != "" {
			t.Errorf("%s: sent %q", name, got)
		}
	}
}

func TestErrorsOfAURLHideIt(t *testing.T) {
	for _, bad := range []string{"", "x", "/x", "ftp://host/s3cret", "http://", "http://[::1/s3cret", "http://host/\x7fs3cret"} {
		if _, err := NewURL("notify", webhook.NewSecret(bad)); !errors.Is(err, ErrURL) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: error %v, want ErrURL", bad, err)
		}
	}
	followed := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		followed = followed || r.URL.Path == "/elsewhere"
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	send := func() error {
		c, err := NewSlack("notify-slack", webhook.NewSecret(server.URL+"/s3cret"))
		if err != nil {
			t.Fatal(err)
		}
		return c.send(t.Context(), rolledBack)
	}
	if err := send(); err == nil || !strings.Contains(err.Error(), "status 307") || followed {
		t.Errorf("of a redirect: error %v, followed %v", err, followed)
	}
	server.Close()
	if err := send(); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("of a server that is away: error %v", err)
	}
}
