package main

import (
	"net/http"
	"slices"
	"strings"
)

// A home serves the inspector at / of -addr, beside the hooks. A call that the inspector
// has no page for goes to wrong.
//
// A tunnel or a proxy may lead to -addr, and its calls look as if they came from this
// machine. So the inspector needs a password there, except in a demo.
type home struct {
	inspector, wrong http.Handler
}

// actPaths are the paths at which the inspector takes a POST. It must not get any other:
// without the password it answers 401, and a sender with a wrong URL would seem to have a
// wrong secret.
var actPaths = []string{
	"/do", "/select", "/replays", "/send", "/stop",
	"/api/replay", "/api/bury", "/api/release", "/api/pause", "/api/resume", "/api/replays", "/api/replays/stop", "/api/burials", "/api/burials/stop", "/api/send",
}

func (h *home) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var isPage bool
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		isPage = !strings.HasPrefix(r.URL.Path, "/hook")
	case http.MethodPost:
		isPage = slices.Contains(actPaths, r.URL.Path)
	}
	if isPage {
		h.inspector.ServeHTTP(w, r)
	} else {
		h.wrong.ServeHTTP(w, r)
	}
}

// hasHome reports whether the inspector is at -addr.
func (s settings) hasHome(g guard) bool {
	return s.adminAddr == "" && (s.demo || len(g.passwords) > 0)
}
