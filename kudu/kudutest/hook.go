package kudutest

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/dotnet"
)

// A Hook is a subscription in the form of the API. A field that is not set is
// null, and LastDatetime of a hook that was never called is in year 1, without
// a zone (Kudu: WebHook.cs).
type Hook struct {
	ID           string  `json:"id"`
	Event        *string `json:"event"`
	URL          string  `json:"url"`
	InsecureSSL  bool    `json:"insecure_ssl"`
	LastStatus   *string `json:"last_status"`
	LastReason   *string `json:"last_reason"`
	LastDatetime string  `json:"last_datetime"`
	LastContext  *string `json:"last_context"`
}

// Hooks returns the hooks, oldest first. The caller owns the slice.
func (s *Server) Hooks() []Hook {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Hook{}, s.hooks...) // encodes as [], not as null
}

// subscribe adds a hook, or returns the existing one.
func (s *Server) subscribe(r *http.Request, body []byte) reply {
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != "application/json" && len(body) > 0 {
		return reply{status: http.StatusUnsupportedMediaType}
	}
	var requested *struct {
		URL         string  `json:"url"`
		Event       *string `json:"event"`
		InsecureSSL bool    `json:"insecure_ssl"`
	}
	if json.Unmarshal(body, &requested) != nil || requested == nil {
		return encode(http.StatusBadRequest, map[string]string{"Message": "The request is invalid."})
	}
	address := strings.TrimSpace(requested.URL)
	if u, err := url.Parse(address); err != nil || !u.IsAbs() || u.Host == "" || strings.Contains(address, " ") {
		return formatException(address)
	}
	return s.locked(r, func() reply {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, h := range s.hooks {
			switch {
			case !strings.EqualFold(h.URL, address):
			case strings.EqualFold(text(h.Event), text(requested.Event)):
				return encode(http.StatusCreated, h)
			default:
				return reply{status: http.StatusConflict}
			}
		}
		h := Hook{ID: s.ticks(), Event: requested.Event, URL: address, InsecureSSL: requested.InsecureSSL, LastDatetime: dotnet.NeverSet}
		s.hooks = append(s.hooks, h)
		return encode(http.StatusCreated, h)
	})
}

// formatException returns ASP.NET's answer for an address that Kudu refuses.
func formatException(address string) reply {
	return encode(http.StatusInternalServerError, map[string]string{
		"Message":          "An error has occurred.",
		"ExceptionMessage": fmt.Sprintf("Invalid hook address '%s'.", address),
		"ExceptionType":    "System.FormatException",
		"StackTrace":       "   at Kudu.Core.Hooks.WebHooksManager.AddWebHook(WebHook webHook)\r\n   at " + address,
	})
}

// ticks returns the next id, which is the time in units of 100 ns since year 1.
// Kudu gives two hooks that are created at the same time the same id; here ids
// differ.
func (s *Server) ticks() string {
	s.lastTicks = max(s.lastTicks+1, dotnet.Ticks(time.Now()))
	return strconv.FormatInt(s.lastTicks, 10)
}

// find returns the hook with the id, or nil if there is none.
func (s *Server) find(id string) *Hook {
	for _, h := range s.Hooks() {
		if strings.EqualFold(h.ID, id) {
			return &h
		}
	}
	return nil
}

// remove deletes the hook with the id, if there is one.
func (s *Server) remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = slices.DeleteFunc(s.hooks, func(h Hook) bool { return strings.EqualFold(h.ID, id) })
}

// text returns the string that p points to, or "" if p is nil.
func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
