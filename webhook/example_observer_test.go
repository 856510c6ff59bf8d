package webhook_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// Metrics, and a page for whoever is on call, from the same Worker.
func ExampleMultiObserver() {
	attempts := make(map[webhook.State]int)
	metrics := &webhook.Observer{
		Settled: func(_ context.Context, _ webhook.Claim, o webhook.Outcome, _ time.Duration) { attempts[o.State]++ },
	}
	page := &webhook.Observer{
		Settled: func(_ context.Context, c webhook.Claim, o webhook.Outcome, _ time.Duration) {
			if o.State == webhook.Dead {
				fmt.Println("given up:", c.Delivery.Type, o.Reason)
			}
		},
	}
	both := webhook.MultiObserver(metrics, page)

	// A Worker calls it.
	c := webhook.Claim{Delivery: &webhook.Delivery{Type: "acme.push"}, Attempt: 10}
	both.Settled(context.Background(), c, webhook.Outcome{State: webhook.Dead, Reason: "no disk"}, time.Second)
	fmt.Println(attempts[webhook.Dead])
	// Output:
	// given up: acme.push no disk
	// 1
}

// Behind a proxy in 10.0.0.0/8 that appends to X-Forwarded-For, the log names the client and
// not the proxy. What the client itself wrote into the header does not count.
func ExampleClientIPBehind() {
	receiver := webhook.NewReceiver(webhook.Source{
		Name:     "acme",
		Verifier: &webhook.HMAC{Header: "X-Signature", Keys: webhook.Keys(webhook.NewSecret("secret"))},
	}, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil }))
	receiver.ClientIP = webhook.ClientIPBehind(netip.MustParsePrefix("10.0.0.0/8"))
	receiver.Logger = slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: only("msg", "client", "peer")}))

	r := httptest.NewRequest("POST", "/hooks/acme", nil)
	r.RemoteAddr = "10.0.0.3:40022"
	r.Header.Set("X-Forwarded-For", "127.0.0.1, 203.0.113.7")
	receiver.ServeHTTP(httptest.NewRecorder(), r)
	// Output: msg="webhook refused" client=203.0.113.7 peer=10.0.0.3:40022
}

// only leaves the named attributes in a log.
func only(names ...string) func([]string, slog.Attr) slog.Attr {
	return func(_ []string, a slog.Attr) slog.Attr {
		if slices.Contains(names, a.Key) {
			return a
		}
		return slog.Attr{}
	}
}
