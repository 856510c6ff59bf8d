package service_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/examples/hookhouse/service"
	"github.com/hookhouse/hookhouse/webhook"
)

// endless writes text until the client has gone.
func endless(w http.ResponseWriter, text string) {
	for {
		if _, err := w.Write([]byte(text)); err != nil {
			return
		}
	}
}

// endlessly answers with a type, a beginning, and then without end.
func endlessly(kind, begin, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write([]byte(begin))
		endless(w, text)
	}
}

// switchProtocol answers 101, and then keeps the connection until the client has gone.
func switchProtocol(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"))
	_, _ = conn.Read(make([]byte, 1))
}

var filler = strings.Repeat("x", 64<<10)

func TestAnswersWithoutEnd(t *testing.T) {
	list := func(c *service.Client) error {
		for _, err := range c.All(t.Context(), webhook.Filter{}) {
			return err
		}
		return nil
	}
	for _, tt := range []struct {
		name string
		h    http.Handler
		call func(c *service.Client) error
		is   error
	}{
		{"a list", endlessly("application/json", `{"deliveries":["`, filler), list, service.ErrNotInspector},
		{"an error", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusConflict); endless(w, filler) }), list, webhook.ErrState},
		{"a body", endlessly("application/octet-stream", "", filler), func(c *service.Client) error {
			_, err := c.Body(t.Context(), "00ff", 10)
			return err
		}, service.ErrCut},
		{"a line of a live list", endlessly("text/event-stream", "data: ", filler), func(c *service.Client) error {
			s, err := c.Live(t.Context(), webhook.Filter{})
			if err != nil {
				return err
			}
			defer s.Close()
			_, err = s.Next()
			return err
		}, service.ErrNotInspector},
		{"another protocol", http.HandlerFunc(switchProtocol), list, service.ErrNotInspector},
		{"a header", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat(filler, 2)) }), list, service.ErrUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.call(serve(t, tt.h)); !errors.Is(err, tt.is) || len(err.Error()) > 1000 {
				t.Errorf("%.1000v, want %v", err, tt.is)
			}
		})
	}
}

// TestABodyThatIsNotWhole: it is never taken for the whole one.
func TestABodyThatIsNotWhole(t *testing.T) {
	whole := func(length int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("Content-Length", fmt.Sprint(length))
			_, _ = w.Write([]byte(text))
		}
	}
	for _, tt := range []struct {
		name string
		h    http.Handler
		size int64
	}{
		{"shorter than the delivery", whole(3, "abc"), 4},
		{"longer than the delivery", whole(5, "abcde"), 4},
		{"cut on the way", whole(4, "abc"), 4},
		{"too large", whole(4, "abcd"), service.MaxBody + 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body, err := serve(t, tt.h).Body(t.Context(), "00ff", tt.size)
			if !errors.Is(err, service.ErrCut) || body != nil {
				t.Errorf("%q, %v", body, err)
			}
		})
	}
	if body, err := serve(t, whole(4, "abcd")).Body(t.Context(), "00ff", 4); err != nil || string(body) != "abcd" {
		t.Errorf("a whole one: %q, %v", body, err)
	}
}

// TestListsThatNoInspectorHas: a list has an end, and is in order.
func TestListsThatNoInspectorHas(t *testing.T) {
	one := func(seq int) string { return fmt.Sprintf(`{"uid":"u%d","seq":%[1]d,"size":1}`, seq) }
	for name, text := range map[string]string{
		"a next page that is this one":  `{"deliveries":[` + one(5) + `],"next":9223372036854775807}`,
		"a list that begins again":      `{"deliveries":[` + one(5) + `],"next":100}`,
		"oldest first":                  `{"deliveries":[` + one(5) + `,` + one(6) + `]}`,
		"no uid":                        `{"deliveries":[{"seq":5}]}`,
		"a uid that is too long":        `{"deliveries":[{"seq":5,"uid":"` + strings.Repeat("a", 5000) + `"}]}`,
		"no seq":                        `{"deliveries":[{"uid":"a"}]}`,
		"a negative size":               `{"deliveries":[{"uid":"a","seq":5,"size":-1}]}`,
		"more than were asked for":      `{"deliveries":[` + one(9) + `,` + one(8) + `,` + one(7) + `,` + one(6) + `]}`,
		"a time that is none":           `{"deliveries":[{"uid":"a","seq":5,"received_at":"yesterday"}]}`,
		"a next page that is negative":  `{"deliveries":[],"next":-1}`,
		"half a list, as from a proxy":  `{"deliveries":[` + one(5),
		"a page of another kind":        `{"deliveries":{"a":1}}`,
		"a next page without an effect": `{"deliveries":[],"next":100}`,
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			for _, err = range serve(t, answering(200, "application/json", text)).All(t.Context(), webhook.Filter{Limit: 3}) {
				if err != nil {
					break
				}
			}
			if !errors.Is(err, service.ErrNotInspector) {
				t.Errorf("%v", err)
			}
		})
	}
}
