package dockerhubtest

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	defaultAPILimit = 180
	apiWindow       = time.Minute
	defaultPageSize = 10
	maxPageSize     = 100
)

// apiError returns an answer in the form of the API's errors.
func apiError(status int, message string) answer {
	return answer{status: status, content: map[string]any{"errinfo": nil, "message": message}}
}

// api answers a request to the API, below /v2/namespaces.
func (s *Server) api(r *http.Request, now time.Time) answer {
	limit := cmp.Or(s.APILimit, defaultAPILimit)
	s.calls.roll(now, apiWindow)
	header, reset := make(http.Header), strconv.FormatInt(ceilSecond(s.calls.reset).Unix(), 10)
	got := apiError(http.StatusTooManyRequests, "too many requests")
	if s.calls.used < limit {
		s.calls.used++
		got = s.tagsOf(r)
	} else {
		header.Set("X-Retry-After", reset)
	}
	header.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	header.Set("X-RateLimit-Remaining", strconv.Itoa(limit-s.calls.used))
	header.Set("X-RateLimit-Reset", reset)
	got.header = header
	return got
}

// ceilSecond returns the first whole second that is not before t.
func ceilSecond(t time.Time) time.Time {
	if whole := t.Truncate(time.Second); whole.Before(t) {
		return whole.Add(time.Second)
	}
	return t
}

// tagsOf answers with the tags of a repository, or with one:
// /v2/namespaces/{namespace}/repositories/{repository}/tags[/{tag}].
func (s *Server) tagsOf(r *http.Request) answer {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) < 6 || len(parts) > 7 || parts[1] != "namespaces" || parts[3] != "repositories" || parts[5] != "tags" {
		return apiError(http.StatusNotFound, "not found")
	}
	at := s.repositories[parts[2]+"/"+parts[4]]
	if at == nil || at.private {
		return apiError(http.StatusNotFound, "not found")
	}
	if len(parts) == 6 {
		return at.page(r)
	}
	t, ok := at.tags[parts[6]]
	if !ok {
		return apiError(http.StatusNotFound, "not found")
	}
	return answer{status: http.StatusOK, content: t.entry()}
}

// page answers with a page of tags, those pushed last first.
func (p *repository) page(r *http.Request) answer {
	number, size := positive(r, "page", 1), min(positive(r, "page_size", defaultPageSize), maxPageSize)
	all := make([]tag, 0, len(p.tags))
	for _, t := range p.tags {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b tag) int { return cmp.Or(b.at.Compare(a.at), cmp.Compare(b.id, a.id)) })
	from := (number - 1) * size
	if number > 1 && from >= len(all) {
		return apiError(http.StatusNotFound, "not found")
	}
	results := []map[string]any{} // encoded as [], not as null
	for _, t := range all[from:min(from+size, len(all))] {
		results = append(results, t.entry())
	}
	link := func(n int, exists bool) any {
		if !exists {
			return nil
		}
		u := url.URL{Scheme: "https", Host: r.Host, Path: r.URL.Path,
			RawQuery: url.Values{"page": {strconv.Itoa(n)}, "page_size": {strconv.Itoa(size)}}.Encode()}
		return u.String()
	}
	return answer{status: http.StatusOK, content: map[string]any{
		"count": len(all), "next": link(number+1, from+size < len(all)), "previous": link(number-1, number > 1), "results": results,
	}}
}

// positive returns a number of the query, or another one if it is missing or not positive.
func positive(r *http.Request, name string, otherwise int) int {
	const most = 1 << 20 // pages: the product with a size fits
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil || n < 1 {
		return otherwise
	}
	return min(n, most)
}

// entry returns a tag as the API has it.
func (t tag) entry() map[string]any {
	at := t.at.UTC().Format("2006-01-02T15:04:05.000000Z")
	return map[string]any{
		"creator": 1, "id": t.id, "name": t.name, "repository": 1, "full_size": 0, "v2": true,
		"images":       []map[string]any{{"architecture": "amd64", "os": "linux", "digest": t.digest, "size": 0, "status": "active", "last_pushed": at, "last_pulled": nil}},
		"last_updated": at, "last_updater": 1, "last_updater_username": t.pusher,
		"tag_status": "active", "tag_last_pushed": at, "tag_last_pulled": nil,
		"media_type": mediaType, "content_type": "image", "digest": t.digest,
	}
}
