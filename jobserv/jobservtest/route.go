package jobservtest

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/hookhouse/hookhouse/internal/pyjson"
)

// route answers a request. A list lacks the last drop builds.
func (s *Server) route(r *http.Request, drop int) answer {
	notFound := answer{status: http.StatusNotFound, text: "Object does not exist: " + r.URL.Path}
	if !s.authorized(r) {
		return answer{status: http.StatusUnauthorized, text: "Invalid token"}
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/projects/")
	name, rest, found := cutLast(rest, "/builds/")
	p := s.projects[name]
	if !ok || !found || p == nil || r.Method != http.MethodGet {
		return notFound
	}
	at := url.URL{Scheme: "https", Host: r.Host}
	if strings.HasPrefix(s.base(), "http:") {
		at.Scheme = "http"
	}
	if rest == "" {
		return p.page(r.URL, at, drop)
	}
	number, runs := strings.CutSuffix(rest, "/runs/")
	id, err := strconv.ParseInt(strings.TrimSuffix(number, "/"), 10, 64)
	b := p.find(id)
	switch {
	case err != nil || b == nil || !runs && !strings.HasSuffix(number, "/"):
		return notFound
	case runs:
		var data pyjson.Object
		data.Add("runs", b.runsJSON(at))
		return answer{status: http.StatusOK, data: data}
	default:
		var data pyjson.Object
		data.Add("build", b.asJSON(at, true))
		return answer{status: http.StatusOK, data: data}
	}
}

// cutLast is strings.Cut at the last separator.
func cutLast(text, separator string) (before, after string, found bool) {
	n := strings.LastIndex(text, separator)
	if n < 0 {
		return text, "", false
	}
	return text[:n], text[n+len(separator):], true
}

// page answers a list of builds, newest first.
func (p *project) page(asked *url.URL, at url.URL, drop int) answer {
	query := asked.Query()
	limit, err := intOr(query.Get("limit"), 25)
	if err != nil {
		return answer{status: http.StatusBadRequest, text: `Invalid pagination. "limit" must be numeric`}
	}
	page, err := intOr(query.Get("page"), 0)
	if err != nil {
		return answer{status: http.StatusBadRequest, text: `Invalid pagination. "page" must be numeric`}
	}
	if limit <= 0 || page < 0 { // a division by zero, and an offset that no database takes
		return answer{status: http.StatusInternalServerError, text: "An unexpected error occurred"}
	}
	total := len(p.builds)
	pages := (total + limit - 1) / limit
	list := []any{}
	for n := total - 1 - page*limit; n >= 0 && len(list) < limit; n-- {
		list = append(list, p.builds[n].asJSON(at, false))
	}
	var data pyjson.Object
	data.Add("limit", limit)
	data.Add("page", page)
	data.Add("pages", pages)
	data.Add("total", total)
	data.Add("builds", list[:max(len(list)-drop, 0)])
	if page+1 < pages {
		next := at.JoinPath(asked.Path)
		next.RawQuery = "page=" + strconv.Itoa(page+1) + "&limit=" + strconv.Itoa(limit)
		data.Add("next", next.String())
	}
	return answer{status: http.StatusOK, data: data}
}

func intOr(text string, otherwise int) (int, error) {
	if text == "" {
		return otherwise, nil
	}
	return strconv.Atoi(text)
}
