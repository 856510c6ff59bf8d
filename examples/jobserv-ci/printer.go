package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/hookhouse/hookhouse/jobserv"
)

// A printer writes each result in one piece.
type printer struct {
	asJSON bool
	mu     sync.Mutex
	w      io.Writer
}

// print tells of a build. An error means that it may not be there.
func (p *printer) print(r result) error {
	var text bytes.Buffer
	if p.asJSON {
		lines := json.NewEncoder(&text)
		lines.SetEscapeHTML(false)
		if err := lines.Encode(r); err != nil {
			return err
		}
	} else {
		writeText(&text, r)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err := p.w.Write(text.Bytes())
	return err
}

// writeText writes a result for people: the build, a table of its runs, and
// what is known of those that failed.
func writeText(w *bytes.Buffer, r result) {
	again := ""
	if r.Rerun {
		again = " after a rerun"
	}
	fmt.Fprintf(w, "%s%s: %s build %d", plain(string(r.Status)), again, plain(r.Project), r.BuildID)
	for _, part := range []string{plain(r.Name), plain(r.Trigger), duration(r.Seconds)} {
		if part != "" {
			fmt.Fprintf(w, ", %s", part)
		}
	}
	fmt.Fprintln(w)
	for _, line := range []string{r.URL, firstLine(r.Reason), firstLine(r.Note)} {
		if line != "" {
			fmt.Fprintln(w, "  "+plain(line))
		}
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, run := range r.Runs {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\n", plain(string(run.Status)), plain(run.Name),
			duration(run.Seconds), plain(run.HostTag), plain(run.URL))
	}
	_ = table.Flush() // a Buffer takes all
	for _, run := range r.Runs {
		writeRun(w, run)
	}
	for _, m := range r.Missing {
		fmt.Fprintln(w, "  not fetched: "+plain(m))
	}
	fmt.Fprintln(w)
}

func writeRun(w *bytes.Buffer, run runResult) {
	for _, t := range run.Tests {
		fmt.Fprintf(w, "  %s: test %s %s\n", plain(run.Name), plain(t.Name), plain(string(t.Status)))
		for _, c := range t.Failed {
			fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("    %s %s %s", plain(string(c.Status)), plain(c.Name), plain(firstLine(c.Output))), " "))
		}
	}
	if run.Status != jobserv.Failed {
		return
	}
	fmt.Fprintf(w, "  %s: log %s\n", plain(run.Name), plain(run.LogURL))
	for line := range strings.Lines(run.LogTail) {
		line = strings.TrimRight(line, "\r\n")
		line = line[strings.LastIndexByte(line, '\r')+1:] // what a progress bar left
		fmt.Fprintln(w, "    | "+plain(line))
	}
}

// duration is empty where none is known.
func duration(seconds float64) string {
	if seconds == 0 {
		return ""
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}

// firstLine returns the first line that says something.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

var colour = regexp.MustCompile("\x1b\\[[0-?]*[ -/]*[@-~]")

// plain takes out what could drive a terminal: logs and commit messages hold
// whatever somebody wrote.
func plain(text string) string {
	text = strings.ReplaceAll(colour.ReplaceAllString(text, ""), "\t", "    ")
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
