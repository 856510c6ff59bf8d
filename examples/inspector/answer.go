package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// An answer is what a caller gets.
type answer struct {
	status int
	header []headerField
	body   string
	delay  time.Duration
}

// answerText is an answer of the program and not of the bin.
func answerText(status int, text string) answer {
	a := answer{status: status, body: text}
	if status == http.StatusServiceUnavailable {
		a.header = []headerField{{"Retry-After", "1"}}
	}
	return a
}

// String describes the answer without its body.
func (a answer) String() string {
	text := strings.TrimSpace(fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)))
	if a.delay > 0 {
		text += " after " + a.delay.String()
	}
	return text
}

// write waits for the delay of an answer, and sends it.
func (a answer) write(w http.ResponseWriter, r *http.Request, d *delays) {
	if a.delay > 0 {
		d.wait(r.Context(), a.delay)
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	own := make(map[string]bool)
	for _, f := range a.header {
		if name := http.CanonicalHeaderKey(f.Name); !own[name] {
			own[name] = true
			h.Del(name) // what is set here by default
		}
		h.Add(f.Name, f.Value)
	}
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = io.WriteString(w, a.body) // the caller has left
	}
}
