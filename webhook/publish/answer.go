package publish

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// mostRead is how much of the body of an answer is read, so that the connection can be
	// used again if that is all.
	mostRead = 16 << 10
	// bodyWait is how long the body of an answer may take. The status is known by then.
	bodyWait = time.Second
)

// An answer is what came of a request.
type answer struct {
	status int // zero if there is none
	header http.Header
	body   string // its first 1 KiB
	err    error  // why there is no answer
}

// readBody reads the beginning of the body. What is slow, broken or too long is cut off,
// since the status is the answer.
func (a *answer) readBody(body io.Reader) {
	head := make([]byte, maxResponse)
	n, err := io.ReadFull(body, head)
	a.body = string(head[:n])
	if err == nil {
		_, _ = io.CopyN(io.Discard, body, mostRead-maxResponse)
	}
}

// A verdict is what an answer means for the delivery and for the endpoint.
type verdict struct {
	result    Result
	reason    string        // empty if the event is delivered
	gone      bool          // the endpoint does not want any events
	throttled bool          // the endpoint has too many requests now: the attempt does not count
	asked     time.Duration // the wait that the answer asks for
}

// judge returns what an answer means:
//
//	2xx                       delivered
//	400, 409, 413, 415, 422   rejected: it is about this event, and tried again
//	410                       failed, and the endpoint is disabled
//	429                       failed, and tried again without being counted
//	anything else, no answer  failed, and tried again
func judge(a answer, now time.Time) verdict {
	if a.err != nil {
		return verdict{result: Failed, reason: failureText(a.err)}
	}
	v := verdict{result: Failed, reason: statusText(a.status), asked: retryAfter(a.header, now)}
	switch {
	case a.status >= 200 && a.status <= 299:
		return verdict{result: Delivered}
	case a.status == http.StatusBadRequest, a.status == http.StatusConflict, a.status == http.StatusRequestEntityTooLarge,
		a.status == http.StatusUnsupportedMediaType, a.status == http.StatusUnprocessableEntity:
		v.result = Rejected
	case a.status == http.StatusGone:
		v.gone = true
	case a.status == http.StatusTooManyRequests:
		v.throttled = true
	case a.status >= 300 && a.status <= 399:
		v.reason += ": redirects are not followed"
	}
	return v
}

func statusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return fmt.Sprintf("status %d %s", status, text)
	}
	return fmt.Sprintf("status %d", status)
}
