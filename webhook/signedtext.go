package webhook

import (
	"cmp"
	"fmt"
	"net/http"
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
	case f.TimestampHeader != "" && !t.has[timestampWord]:
		return fault("TimestampHeader is %q, but Signed %q has no {timestamp}: an unsigned time proves nothing", f.TimestampHeader, f.Signed)
	case f.TimeItem != "" && !t.has[timestampWord]:
		return fault("Items.Time is %q, but Signed %q has no {timestamp}: an unsigned time proves nothing", f.TimeItem, f.Signed)
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

// mismatch says what a signature that matches no key was expected to cover, unless that
// is only the body: each of them may be wrong.
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
	return " (it covers the " + strings.Join(others, ", the ") + " and the body)"
}
