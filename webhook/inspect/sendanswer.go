package inspect

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/hookhouse/hookhouse/webhook/addrguard"
)

// An answer is what a target has answered, as JSON.
type answer struct {
	Status int         `json:"status"`
	TookMS int64       `json:"took_ms"`
	ID     string      `json:"id,omitempty"` // of the request
	Sent   int         `json:"sent"`         // bytes of the body
	Header http.Header `json:"header"`
	Body   string      `json:"body"`             // the beginning
	Base64 string      `json:"base64,omitempty"` // in place of body, if that is no text
	Cut    bool        `json:"cut,omitempty"`    // there is more of the body
	Note   string      `json:"note,omitempty"`

	bytes []byte
}

// maxAnswer is how much of the body of an answer is shown, and answerMargin how much more is
// read, so that what must not be shown is found where the body is cut.
const (
	maxAnswer    = 64 << 10
	answerMargin = 8 << 10
)

// sendOnce signs a request, sends it once and reads the answer.
func (in *Inspector) sendOnce(ctx context.Context, key TestKey, s sending) (a answer, err error) {
	if err := in.Send.target(ctx, s.URL); err != nil {
		return a, in.sendFault(err, nil)
	}
	body, d, err := in.content(ctx, s)
	if err != nil {
		return a, err
	}
	r, err := s.signed(ctx, key, body, d)
	if err != nil {
		return a, err
	}
	proofs := proofsOf(r, key.Secret)
	client := in.Send.Guard.Client()
	client.Timeout = 0 // that of ctx
	defer client.CloseIdleConnections()
	began := time.Now()
	resp, err := client.Do(r)
	if err != nil {
		return a, in.sendFault(err, proofs)
	}
	defer func() { _ = resp.Body.Close() }()
	var read []byte
	if resp.StatusCode != http.StatusSwitchingProtocols { // its body is the connection, which ctx does not end
		read, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+answerMargin))
	}
	a = answer{Status: resp.StatusCode, TookMS: time.Since(began).Milliseconds(), Sent: len(body), ID: requestID(r.Header)}
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols:
		a.Note = "The target asks for another protocol, which was not begun."
	case err != nil:
		a.Note = "The answer broke off."
	}
	a.fill(in.shown(resp.Header), read, proofs, err != nil || len(read) == maxAnswer+answerMargin)
	return a, nil
}

// requestID returns the ID by which a receiver knows the request.
func requestID(h http.Header) string {
	return h.Get("X-GitHub-Delivery") + h.Get("Webhook-Id") // it has one of them, or none
}

// fill sets the header and the body, without the proofs. partial means that the body may end
// in the middle of one.
func (a *answer) fill(h http.Header, body []byte, proofs []string, partial bool) {
	hide := hiding(proofs)
	a.Header = make(http.Header, len(h))
	for name, values := range h {
		for _, v := range values {
			a.Header[hide(name)] = append(a.Header[hide(name)], hide(v))
		}
	}
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		a.Note = strings.TrimSpace(a.Note + " The body is compressed, and not shown.")
		return
	}
	text := hide(string(body))
	if partial {
		text = withoutBeginning(text, proofs)
	}
	if a.Cut = len(body) > maxAnswer || len(text) > maxAnswer; a.Cut {
		text = text[:min(len(text), maxAnswer)]
		for n := 0; n < utf8.UTFMax && len(text) > 0; n++ {
			if last, size := utf8.DecodeLastRuneInString(text); last != utf8.RuneError || size > 1 {
				break
			}
			text = text[:len(text)-1] // a part of a character
		}
	}
	a.bytes = []byte(text)
	if utf8.ValidString(text) {
		a.Body = text
	} else {
		a.Base64 = base64.StdEncoding.EncodeToString(a.bytes)
	}
}

// hiding returns a func that replaces proofs in a text.
func hiding(proofs []string) func(text string) string {
	pairs := make([]string, 0, 2*len(proofs))
	for _, p := range proofs {
		pairs = append(pairs, p, redacted)
	}
	return strings.NewReplacer(pairs...).Replace
}

// withoutBeginning returns a text without the beginning of a proof at its end.
func withoutBeginning(text string, proofs []string) string {
	longest := 0
	for _, p := range proofs {
		for n := min(len(p)-1, len(text)); n > longest; n-- {
			if strings.HasSuffix(text, p[:n]) {
				longest = n
			}
		}
	}
	return text[:len(text)-longest]
}

// sendFault returns why a request was not answered, for people. What it does not say is in the
// log, without the URL, which may have a token, and without the proofs: an error may quote an
// answer.
func (in *Inspector) sendFault(err error, proofs []string) error {
	if fault, ok := errors.AsType[requestError](err); ok {
		return fault
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	text, forLog := "", shownReason(hiding(proofs)(err.Error()))
	var netErr net.Error
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, isDNS := errors.AsType[*net.DNSError](err)
	switch {
	case errors.Is(err, addrguard.ErrAddress):
		in.logger().Warn("inspector: an address may not be called", "error", forLog)
		return requestError{http.StatusForbidden, "the address of this host may not be called"}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return requestError{http.StatusGatewayTimeout, "there was no answer in time"}
	case isDNS, errors.Is(err, addrguard.ErrLookup):
		text = "the host was not found"
	case errors.Is(err, syscall.ECONNREFUSED):
		text = "the connection was refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		text = "the connection ended without an answer"
	case isCertificate:
		text = "the certificate of the host is not valid"
	default:
		text = "the request failed; the log says why"
	}
	in.logger().Warn("inspector: a request was not answered", "error", forLog)
	return requestError{http.StatusBadGateway, fmt.Sprintf("nothing was answered: %s", text)}
}
