package main

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

const (
	maxDelay    = 30 * time.Second
	longestLife = 30 * 24 * time.Hour
	// The answer that a bin gives.
	maxSetHeaders    = 32
	maxSetHeaderText = 8 << 10
	maxSetBody       = 64 << 10
)

// A bin says how calls to /in/{name} are answered, and what becomes of them.
type bin struct {
	Name    string        `json:"name"`
	Sender  string        `json:"sender,omitempty"` // whose calls it takes; empty: anybody's
	Status  int           `json:"status"`
	Header  []headerField `json:"header,omitempty"`
	Body    string        `json:"body,omitempty"`
	Delay   time.Duration `json:"delay,omitempty"`
	Forward string        `json:"forward,omitempty"` // a URL; empty: it does not forward
	Expires time.Time     `json:"expires"`
}

type headerField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// newBin returns a bin that answers 200 without a body.
func newBin(name string, expires time.Time) bin {
	return bin{Name: name, Status: http.StatusOK, Expires: expires}
}

// senders are the sources whose calls a bin can describe. None has a secret, and no
// signature is checked: a bin shows forged calls too.
var senders = map[string]webhook.Source{
	"github": github.Source(), "jobserv": jobserv.Source(), "dockerhub": dockerhub.Source(), "kudu": kudu.Source(),
}

// senderNames are the names of senders, in order.
var senderNames = slices.Sorted(maps.Keys(senders))

// hasTokenInURL reports whether the URL of a call to the bin is a secret as a whole.
func (b *bin) hasTokenInURL() bool { return b.Sender == "dockerhub" || b.Sender == "kudu" }

// source describes the calls of a bin.
func (b *bin) source() webhook.Source {
	if s, ok := senders[b.Sender]; ok {
		return s
	}
	return webhook.Source{Name: sourceOf(b.Name), Describe: func(*http.Request, []byte) webhook.Description {
		return webhook.Description{Type: sourceOf(b.Name)}
	}}
}

// sourceOf is the source and the type of a bin without a sender. It is the source of the
// answers of all bins.
func sourceOf(name string) string { return "bin." + name }

// answerType is the type of what a URL has answered that the bin forwards to.
func answerType(name string) string { return sourceOf(name) + ".answer" }

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// validate returns what is wrong with a bin, apart from the address that it forwards to.
func (b *bin) validate() error {
	if !namePattern.MatchString(b.Name) {
		return fmt.Errorf("name: %.64q is not 1 to 40 of a-z, 0-9 and -, without - at the beginning", b.Name)
	}
	if _, ok := senders[b.Sender]; !ok && b.Sender != "" {
		return fmt.Errorf("sender: %.64q is not one of %s", b.Sender, strings.Join(senderNames, ", "))
	}
	switch {
	case b.Status < 200 || b.Status > 599:
		return fmt.Errorf("status: %d is not from 200 to 599; one of 1xx is no answer", b.Status)
	case (b.Status == http.StatusNoContent || b.Status == http.StatusNotModified) && b.Body != "":
		return fmt.Errorf("status: %d has no body, and the body is not empty", b.Status)
	case len(b.Body) > maxSetBody:
		return fmt.Errorf("body: it has %d bytes, more than %d", len(b.Body), maxSetBody)
	case !utf8.ValidString(b.Body):
		return errors.New("body: it is not UTF-8")
	case b.Delay < 0 || b.Delay > maxDelay:
		return fmt.Errorf("delay: %v is not from 0s to %v", b.Delay, maxDelay)
	case len(b.Header) > maxSetHeaders:
		return fmt.Errorf("headers: there are %d, more than %d", len(b.Header), maxSetHeaders)
	}
	for _, f := range b.Header {
		if err := f.validate(); err != nil {
			return fmt.Errorf("headers: %w", err)
		}
	}
	return nil
}

var (
	// hopByHop are headers of a connection and not of a message (RFC 9110, section 7.6.1),
	// and what frames a message.
	hopByHop = []string{
		"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
		"Transfer-Encoding", "Upgrade", "Content-Length",
	}
	// originWide are headers that a browser applies to the pages of the inspector too, if it
	// is at the same address, or that this program sets.
	originWide = []string{
		"Set-Cookie", "Set-Cookie2", "Clear-Site-Data", "Strict-Transport-Security", "Alt-Svc", "Service-Worker-Allowed", "Origin-Agent-Cluster",
		"Content-Security-Policy", "X-Content-Type-Options", "Report-To", "Reporting-Endpoints", "Nel",
	}
	tokenPattern = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$") // RFC 9110, section 5.6.2
)

// validate returns what is wrong with a header of an answer. The error has its name and not
// its value.
func (f headerField) validate() error {
	name := http.CanonicalHeaderKey(f.Name)
	switch {
	case !tokenPattern.MatchString(f.Name):
		return fmt.Errorf("%.64q is no name of a header", f.Name)
	case slices.Contains(hopByHop, name):
		return fmt.Errorf("%s is of the connection and not of the answer", name)
	case slices.Contains(originWide, name):
		return fmt.Errorf("%s would apply to more than this answer", name)
	case strings.ContainsFunc(f.Value, func(c rune) bool { return c != '\t' && (c < ' ' || c > '~') }):
		return fmt.Errorf("the value of %s has a line end or another character that a header cannot have", name)
	}
	return nil
}

// parseHeader reads lines of the form "Name: value".
func parseHeader(text string) (list []headerField, err error) {
	if len(text) > maxSetHeaderText {
		return nil, fmt.Errorf("headers: they have %d bytes, more than %d", len(text), maxSetHeaderText)
	}
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		if strings.Trim(line, " \t") == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("headers: %.64q is not of the form Name: value", line)
		}
		list = append(list, headerField{name, strings.Trim(value, " \t")})
	}
	return list, nil
}

// headerText is the text that parseHeader reads.
func (b *bin) headerText() string {
	var text strings.Builder
	for _, f := range b.Header {
		text.WriteString(f.Name + ": " + f.Value + "\n")
	}
	return text.String()
}
