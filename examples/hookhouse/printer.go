package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/hookhouse/hookhouse/webhook"
)

// A printer writes what a command prints: text, or one JSON object a line.
type printer struct {
	out   io.Writer
	err   io.Writer // for what is not a result
	in    io.Reader // for the answer to a question
	json  bool
	color bool
	now   time.Time // what "ago" refers to
}

func newPrinter(o options) *printer {
	return &printer{
		out: os.Stdout, err: os.Stderr, in: os.Stdin, json: o.json,
		color: isTerminal(os.Stdout) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
		now:   time.Now(),
	}
}

// Write writes to the standard output.
func (p *printer) Write(text []byte) (int, error) { return p.out.Write(text) }

// object writes v as one line of JSON.
func (p *printer) object(v any) error {
	line, err := jsonLine(v)
	if err != nil {
		return err
	}
	_, err = p.Write(line)
	return err
}

// A message is the JSON of a command that changes something.
type message struct {
	Did     string `json:"did"`
	UID     string `json:"uid,omitempty"`
	Source  string `json:"source,omitempty"`
	Type    string `json:"type,omitempty"`
	Key     string `json:"key,omitempty"`
	As      string `json:"as,omitempty"`  // the state of what is given up
	All     bool   `json:"all,omitempty"` // types, or of give-up all deliveries
	Count   int    `json:"count,omitempty"`
	Skipped int    `json:"skipped,omitempty"`
	By      string `json:"by,omitempty"`
	Why     string `json:"why,omitempty"`
}

// done prints that a command has succeeded.
func (p *printer) done(m message, format string, args ...any) error {
	if p.json {
		return p.object(m)
	}
	_, err := fmt.Fprintf(p, format+"\n", args...)
	return err
}

// note prints what is not a result, on standard error.
func (p *printer) note(format string, args ...any) { fmt.Fprintf(p.err, format+"\n", args...) }

// The colors, by state.
var colors = map[webhook.State]string{
	webhook.Waiting: "36", webhook.Blocked: "33", webhook.Claimed: "34", webhook.Done: "32",
	webhook.Dead: "31", webhook.Superseded: "90", webhook.Ignored: "90",
}

// state returns a state, filled up with spaces to the width.
func (p *printer) state(s webhook.State, width int) string {
	text := fmt.Sprintf("%-*s", width, clean(string(s)))
	if c := colors[s]; p.color && c != "" {
		return "\x1b[" + c + "m" + text + "\x1b[0m"
	}
	return text
}

// bold returns a heading.
func (p *printer) bold(text string) string {
	if p.color {
		return "\x1b[1m" + text + "\x1b[0m"
	}
	return text
}

// clean returns text that senders and programs have written in a form that cannot move
// a cursor, change a color or begin another line.
func clean(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) < 0 {
		return text
	}
	escaped := strconv.Quote(text)
	return strings.ReplaceAll(escaped[1:len(escaped)-1], `\"`, `"`)
}

// quoted returns text in double quotes.
func quoted(text string) string { return strconv.Quote(text) }

// short returns the first n characters of text. A longer text ends in "…".
func short(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	return string(runes[:n-1]) + "…"
}

// orDash returns text for a column, which must not be empty.
func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return clean(text)
}

// readLimited reads a file, or standard input if name is "-", of at most n bytes.
func readLimited(name string, n int64) ([]byte, error) {
	var r io.Reader = os.Stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		r = file
	}
	text, err := io.ReadAll(io.LimitReader(r, n+1))
	if err == nil && int64(len(text)) > n {
		return nil, fmt.Errorf("%s has more than %d bytes", quoted(name), n)
	}
	return text, err
}
