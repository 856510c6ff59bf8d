package webhook

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A signedText is what a signature covers: a template, and where the values of its
// words are.
type signedText struct {
	template
	verifier   string // name of the type, for errors
	timeHeader string // canonical; empty if there is none
	timeItem   string // name of the item in the signature's header; empty if there is none
	idHeader   string // canonical; empty if there is none
	tolerance  time.Duration
	url        registeredURL
}

// A signedFields has the fields of a verifier from which a signedText is made.
type signedFields struct {
	Header, Signed, TimestampHeader, TimeItem, IDHeader string
	Tolerance                                           time.Duration
	URL                                                 registeredURL
}

// prepare checks the fields. Its errors name the field, its value and the fault.
func (f signedFields) prepare(verifier string) (*signedText, error) {
	fault := func(format string, args ...any) (*signedText, error) {
		return nil, fmt.Errorf("webhook: "+verifier+": "+format, args...)
	}
	t, err := parseTemplate(f.Signed)
	if err != nil {
		return fault("Signed %q %w", f.Signed, err)
	}
	for _, h := range []struct{ field, name string }{{"Header", f.Header}, {"TimestampHeader", f.TimestampHeader}, {"IDHeader", f.IDHeader}} {
		if h.name != "" && !isHeaderName(h.name) {
			return fault("%s %q is not a header name", h.field, h.name)
		}
	}
	hasTime := f.TimestampHeader != "" || f.TimeItem != ""
	switch {
	case f.TimestampHeader != "" && f.TimeItem != "":
		return fault("TimestampHeader %q and Items.Time %q are both set: the timestamp has one place", f.TimestampHeader, f.TimeItem)
	case t.has[timestampWord] && !hasTime:
		return fault("Signed %q has {timestamp}, but neither TimestampHeader nor Items.Time is set", f.Signed)
	case hasTime && !t.has[timestampWord]:
		return fault("%q has the timestamp, but Signed %q has no {timestamp}: an unsigned time proves nothing", cmp.Or(f.TimestampHeader, f.TimeItem), f.Signed)
	case f.Tolerance != 0 && !t.has[timestampWord]:
		return fault("Tolerance is %v, but Signed %q has no {timestamp}", f.Tolerance, f.Signed)
	case t.has[idWord] && f.IDHeader == "":
		return fault("Signed %q has {id}, but IDHeader is not set", f.Signed)
	case f.IDHeader != "" && !t.has[idWord]:
		return fault("IDHeader is %q, but Signed %q has no {id}: read an ID that is not signed in Describe", f.IDHeader, f.Signed)
	case t.has[urlWord] && f.URL.isZero():
		return fault("Signed %q has {url}, but neither URL nor URLFunc is set", f.Signed)
	case !t.has[urlWord] && !f.URL.isZero():
		return fault("URL or URLFunc is set, but Signed %q has no {url}", f.Signed)
	}
	if err := checkTolerance(f.Tolerance); err != nil {
		return fault("%w", err)
	}
	if err := f.URL.validate(); err != nil {
		return fault("%w", err)
	}
	s := &signedText{
		template:   t,
		verifier:   verifier,
		timeHeader: http.CanonicalHeaderKey(f.TimestampHeader),
		timeItem:   f.TimeItem,
		idHeader:   http.CanonicalHeaderKey(f.IDHeader),
		tolerance:  cmp.Or(f.Tolerance, defaultTolerance),
		url:        f.URL,
	}
	header := http.CanonicalHeaderKey(f.Header)
	if s.timeHeader == header || s.idHeader == header || s.timeHeader != "" && s.timeHeader == s.idHeader {
		return fault("Header %q, TimestampHeader %q and IDHeader %q must differ", f.Header, f.TimestampHeader, f.IDHeader)
	}
	return s, nil
}

// read reads the timestamp and the ID from the headers of r and checks them.
// timeItem is the value of the item that has the timestamp, if an item has it.
func (s *signedText) read(r *http.Request, timeItem string) (v signedValues, err error) {
	if s.has[timestampWord] {
		name := s.timeItem
		v.timestamp = timeItem
		if s.timeHeader != "" {
			name = s.timeHeader
			if v.timestamp, err = oneValue(r, name); err != nil {
				return signedValues{}, err
			}
		}
		if err := checkTimestamp(name, v.timestamp, s.tolerance); err != nil {
			return signedValues{}, err
		}
	}
	if s.has[idWord] {
		if v.id, err = oneValue(r, s.idHeader); err != nil {
			return signedValues{}, err
		}
		if err := s.checkID(v.id); err != nil {
			return signedValues{}, fmt.Errorf("%w: %s %w", ErrUnverified, s.idHeader, err)
		}
	}
	return v, nil
}

// readURL adds the URL, which may need a look-up.
func (s *signedText) readURL(r *http.Request, v *signedValues) (err error) {
	if s.has[urlWord] {
		v.url, err = s.url.of(s.verifier, r)
	}
	return err
}

// around returns what is signed before and after the body.
func (s *signedText) around(v *signedValues) (head, tail []byte) {
	if s.isPlain() {
		return nil, nil
	}
	text := make([]byte, 0, 128)
	text = v.appendParts(text, s.head)
	n := len(text)
	text = v.appendParts(text, s.tail)
	return text[:n:n], text[n:]
}

// whole returns the signed text in one piece, for signatures that cannot be computed
// in parts.
func (s *signedText) whole(v *signedValues, body []byte) []byte {
	if s.isPlain() {
		return body
	}
	return v.appendParts(append(v.appendParts(make([]byte, 0, len(body)+128), s.head), body...), s.tail)
}

// sign sets the headers of the timestamp, which is now, and of the ID. It keeps an ID
// that the request has already.
func (s *signedText) sign(r *http.Request) (v signedValues, err error) {
	now := time.Now()
	if err := s.readURL(r, &v); err != nil {
		return signedValues{}, err
	}
	if s.has[idWord] {
		v.id = cmp.Or(r.Header.Get(s.idHeader), newUID(now))
		if err := s.checkID(v.id); err != nil {
			return signedValues{}, fmt.Errorf("webhook: %s: cannot sign: %s %w", s.verifier, s.idHeader, err)
		}
		r.Header.Set(s.idHeader, v.id)
	}
	if s.has[timestampWord] {
		v.timestamp = strconv.FormatInt(now.Unix(), 10)
		if s.timeHeader != "" {
			r.Header.Set(s.timeHeader, v.timestamp)
		}
	}
	return v, nil
}

// mismatch says what a signature that matches no key was expected to cover, besides the
// body, and what may be wrong.
func (s *signedText) mismatch() string {
	var others []string
	for _, w := range []struct {
		word word
		name string
	}{{timestampWord, "timestamp"}, {idWord, "ID"}, {urlWord, "URL"}} {
		if s.has[w.word] {
			others = append(others, w.name)
		}
	}
	if len(others) == 0 {
		return ""
	}
	return " (it covers the " + strings.Join(others, ", ") + " and body)"
}

// checkTolerance refuses a tolerance that is negative or shorter than a second.
func checkTolerance(d time.Duration) error {
	switch {
	case d < 0:
		return fmt.Errorf("Tolerance %v is negative", d)
	case d > 0 && d < time.Second:
		return fmt.Errorf("Tolerance %v is shorter than a second, the unit of timestamps: write 300 * time.Second, not 300", d)
	}
	return nil
}

// checkTimestamp refuses what is not the present time in decimal digits, give or take
// the tolerance. It counts whole seconds. Because the text has as many digits as the
// present time, nobody can move a digit between it and what is signed beside it.
func checkTimestamp(name, text string, tolerance time.Duration) error {
	for i := range len(text) {
		if c := text[i]; c < '0' || c > '9' {
			return fmt.Errorf("%w: %s %.32q is not Unix seconds in plain decimal digits", ErrUnverified, name, text)
		}
	}
	now := time.Now().Unix()
	var buf [20]byte
	if want := len(strconv.AppendInt(buf[:0], now, 10)); len(text) != want || text[0] == '0' {
		return fmt.Errorf("%w: %s %.32q is not the present Unix time in seconds, which has %d digits", ErrUnverified, name, text, want)
	}
	sec, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: %s %.32q is not Unix seconds", ErrUnverified, name, text)
	}
	age := time.Duration(now-sec) * time.Second
	switch {
	case age > tolerance:
		return fmt.Errorf("%w: %s is %v ago, allowed are %v: an old request, or a clock that is ahead", ErrUnverified, name, age, tolerance)
	case -age > tolerance:
		return fmt.Errorf("%w: %s is %v in the future, allowed are %v: is the clock behind?", ErrUnverified, name, -age, tolerance)
	}
	return nil
}

// A registeredURL is the URL that a sender has, and signs: fixed, or a func of the
// request.
type registeredURL struct {
	fixed string
	each  func(*http.Request) (string, error)
}

func (u registeredURL) isZero() bool { return u.fixed == "" && u.each == nil }

// validate refuses two URLs, and one that no sender could call.
func (u registeredURL) validate() error {
	if u.fixed != "" && u.each != nil {
		return errors.New("URL and URLFunc are both set")
	}
	if u.fixed == "" {
		return nil
	}
	// A query may have a secret, so it is not shown.
	shown, _, _ := strings.Cut(u.fixed, "?")
	if p, err := url.Parse(u.fixed); err != nil || p.Host == "" || p.Scheme != "https" && p.Scheme != "http" {
		return fmt.Errorf("URL %q is not absolute: write it as it is registered with the sender, with https:// and host", shown)
	}
	return nil
}

// of returns the URL for the request.
func (u registeredURL) of(verifier string, r *http.Request) (string, error) {
	if u.each == nil {
		return u.fixed, nil
	}
	text, err := u.each(r)
	switch {
	case err != nil:
		return "", unavailable(verifier, "URLFunc", err)
	case text == "":
		return "", fmt.Errorf("%w: %s: URLFunc returned no URL", ErrUnverified, verifier)
	}
	return text, nil
}

// requestURL is the URL as the request has it, which nothing but a hint is made of: a
// proxy changes it, and the caller chooses the host.
func requestURL(r *http.Request) string { return "https://" + r.Host + r.URL.RequestURI() }

const otherURL = ": it matches the URL of the request, so URL is not what the sender has"
