package githubtest

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"
)

// route answers a request for a path.
func (s *Server) route(r *http.Request, path string, now time.Time) answer {
	if !s.authorized(r, path, now) {
		return failed(http.StatusUnauthorized, "Bad credentials")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for from, to := range s.renamed {
		if rest, ok := strings.CutPrefix(path, from+"/"); ok {
			location := url.URL{Scheme: "https", Host: r.Host, Path: "/" + to + "/" + rest, RawQuery: r.URL.RawQuery}
			if r.TLS == nil {
				location.Scheme = "http"
			}
			return answer{status: http.StatusMovedPermanently, header: http.Header{"Location": {location.String()}}}
		}
	}
	hook, rest, ok := strings.Cut(path, "/deliveries")
	if !ok || s.hooks[hook] == nil {
		return failed(http.StatusNotFound, "Not Found")
	}
	switch parts := strings.Split(rest, "/"); {
	case rest == "" && r.Method == http.MethodGet:
		return s.page(r, path, s.hooks[hook].deliveries, now)
	case len(parts) == 2 && r.Method == http.MethodGet:
		if d, ok := s.find(hook, parts[1], now); ok {
			return answer{status: http.StatusOK, content: detail(d)}
		}
	case len(parts) == 3 && parts[2] == "attempts" && r.Method == http.MethodPost:
		if s.ReadOnly && s.Scopes != "" {
			break
		}
		if s.ReadOnly {
			return failed(http.StatusForbidden, "Resource not accessible by personal access token")
		}
		if d, ok := s.find(hook, parts[1], now); ok {
			s.redeliver(hook, d)
			return answer{status: http.StatusAccepted, content: struct{}{}}
		}
	}
	return failed(http.StatusNotFound, "Not Found")
}

// find returns a delivery that is listed. Their IDs ascend.
func (s *Server) find(hook, id string, now time.Time) (Delivery, bool) {
	number, err := strconv.ParseInt(id, 10, 64)
	list := s.hooks[hook].deliveries
	n, ok := position(list, number)
	if err != nil || !ok || !s.isListed(&list[n], now) {
		return Delivery{}, false
	}
	return list[n], true
}

// position returns where the delivery with an ID is or would be, and whether it is there.
func position(list []Delivery, id int64) (int, bool) {
	n := sort.Search(len(list), func(n int) bool { return list[n].ID >= id })
	return n, n < len(list) && list[n].ID == id
}

// cursorPrefix begins a cursor. The rest is the id of the first delivery of the page.
const cursorPrefix = "v1_"

// page answers a list of what a hook has sent, oldest first: per_page of at most 100, by
// default 30. A long list has many pages, so only those of one page are looked at.
func (s *Server) page(r *http.Request, path string, sent []Delivery, now time.Time) answer {
	query := r.URL.Query()
	size, err := strconv.Atoi(query.Get("per_page"))
	if err != nil || size < 1 {
		size = 30
	}
	size = min(size, 100)
	if cursor := query.Get("cursor"); cursor != "" {
		id, err := strconv.ParseInt(strings.TrimPrefix(cursor, cursorPrefix), 10, 64)
		if err != nil {
			return failed(http.StatusUnprocessableEntity, "Invalid cursor")
		}
		end, ok := position(sent, id)
		if ok {
			end++
		}
		sent = sent[:end]
	}
	header := make(http.Header)
	entries := make([]map[string]any, 0, size)
	for d := range s.newest(sent, now) {
		if len(entries) == size {
			next := url.URL{Scheme: "https", Host: r.Host, Path: "/" + path,
				RawQuery: url.Values{"per_page": {strconv.Itoa(size)}, "cursor": {fmt.Sprint(cursorPrefix, d.ID)}}.Encode()}
			header.Set("Link", fmt.Sprintf(`<%s>; rel="next"`, next.String()))
			break
		}
		entries = append(entries, entry(d))
	}
	return answer{status: http.StatusOK, content: entries, header: header}
}

// entry returns a delivery as a list has it.
func entry(d *Delivery) map[string]any {
	return map[string]any{
		"id": d.ID, "guid": d.GUID, "delivered_at": d.DeliveredAt.Format(time.RFC3339), "redelivery": d.Redelivery,
		"duration": d.Duration.Seconds(), "status": d.Status, "status_code": d.StatusCode, "event": d.Event,
		"action": actionOf(d.Body), "installation_id": nil, "repository_id": 1, "throttled_at": nil,
	}
}

// detail returns a delivery with its request. The payload is encoded anew, with the names
// of each object sorted.
func detail(d Delivery) map[string]any {
	whole := entry(&d)
	headers := make(map[string]string)
	for name, values := range d.Header {
		headers[name] = strings.Join(values, ", ")
	}
	var payload any
	in := json.NewDecoder(bytes.NewReader(d.Body))
	in.UseNumber()
	_ = in.Decode(&payload) // what is not JSON has no payload
	whole["url"] = ""
	whole["request"] = map[string]any{"headers": headers, "payload": payload}
	whole["response"] = map[string]any{"headers": map[string]string{}, "payload": ""}
	return whole
}

// authorized reports whether r has the credentials for the path.
func (s *Server) authorized(r *http.Request, path string, now time.Time) bool {
	s.mu.Lock()
	want := s.Token
	s.mu.Unlock()
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "token") {
		return want.IsZero() && !isApp(path)
	}
	if isApp(path) {
		return s.isJWT(token, now)
	}
	return want.IsZero() || want.Equal([]byte(token))
}

func isApp(path string) bool { return path == "app" || strings.HasPrefix(path, "app/") }

// isJWT reports whether token is a JSON Web Token with RS256 by the key of the App, which
// is valid now and for ten minutes at most (RFC 7515, RFC 7519).
func (s *Server) isJWT(token string, now time.Time) bool {
	parts := strings.Split(token, ".")
	if s.AppKey == nil || len(parts) != 3 {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return false
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(s.AppKey, crypto.SHA256, sum[:], signature) != nil {
		return false
	}
	var head struct{ Alg string }
	var claims struct {
		Iat, Exp int64
		Iss      any
	}
	for n, into := range []any{&head, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[n])
		if err != nil || json.Unmarshal(text, into) != nil {
			return false
		}
	}
	at := now.Unix()
	return head.Alg == "RS256" && claims.Iss != nil && claims.Iat <= at && at < claims.Exp && claims.Exp-at <= 600
}
