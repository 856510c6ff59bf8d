package webhook_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// seen returns an Observer that adds what it gets to a list.
func seen(name string, list *[]string) *webhook.Observer {
	return &webhook.Observer{
		Rejected: func(_ context.Context, source string, status int, reason error) {
			*list = append(*list, fmt.Sprint(name, " rejected ", source, " ", status, " ", reason != nil))
		},
		Received: func(_ context.Context, d *webhook.Delivery, err error, _ time.Duration) {
			*list = append(*list, fmt.Sprint(name, " received ", d.Source, " ", err))
		},
	}
}

func TestTheObserverOfARequestGetsItsEvents(t *testing.T) {
	src := webhook.Source{Name: "acme", Verifier: &webhook.HMAC{Header: "X-Sig", Keys: webhook.Keys(webhook.NewSecret("secret"))}}
	handle := webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		if string(d.Body) == `"exit"` {
			runtime.Goexit()
		}
		return webhook.ErrDuplicate
	})
	var list []string
	receiver := webhook.NewReceiver(src, handle)
	receiver.Logger, receiver.Observer = slog.New(slog.DiscardHandler), seen("its", &list)
	for _, tt := range []struct {
		name    string
		handler http.Handler
		body    string
		signed  bool
		want    []string
	}{
		{"refused", receiver, "{}", false, []string{"its rejected acme 401 true", "a rejected acme 401 true", "b rejected acme 401 true"}},
		{"handled", receiver, "{}", true, []string{"its received acme webhook: duplicate", "a received acme webhook: duplicate", "b received acme webhook: duplicate"}},
		{"ended", receiver, `"exit"`, true, []string{"its received acme webhook: handler panicked: runtime.Goexit was called", "a received acme webhook: handler panicked: runtime.Goexit was called", "b received acme webhook: handler panicked: runtime.Goexit was called"}},
		{"refused by a middleware", src.Middleware(http.NotFoundHandler()), "{}", false, []string{"a rejected acme 401 true", "b rejected acme 401 true"}},
		{"passed by a middleware", src.Middleware(http.NotFoundHandler()), "{}", true, nil},
	} {
		list = nil
		request := webhooktest.NewRequest(src, "/", []byte(tt.body))
		if !tt.signed {
			request.Header.Del("X-Sig")
		}
		ctx := webhook.WithObserver(webhook.WithObserver(t.Context(), seen("a", &list)), seen("b", &list))
		done := make(chan bool)
		go func() {
			defer close(done)
			tt.handler.ServeHTTP(httptest.NewRecorder(), request.WithContext(ctx))
		}()
		<-done
		if diff := cmp.Diff(tt.want, list); diff != "" {
			t.Errorf("%s: -want +got\n%s", tt.name, diff)
		}
	}
	if ctx := t.Context(); webhook.WithObserver(ctx, nil) != ctx {
		t.Error("nil is an Observer")
	}
}

func TestMembersOfAGroup(t *testing.T) {
	a, b := &webhook.Token{Header: "A"}, &webhook.Token{Header: "B"}
	for _, g := range []interface{ Members() []webhook.Verifier }{webhook.NewAnyOf(a, b), webhook.NewAllOf(a, b)} {
		got := g.Members()
		if len(got) != 2 || got[0] != webhook.Verifier(a) || got[1] != webhook.Verifier(b) {
			t.Errorf("%T: %v", g, got)
		}
		got[0] = nil
		if g.Members()[0] == nil {
			t.Errorf("%T: the caller can change it", g)
		}
	}
}
