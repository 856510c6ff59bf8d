package main

import (
	"bytes"
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

// A printer writes each result with a single Write.
type printer struct {
	asJSON bool
	mu     sync.Mutex
	w      io.Writer
	torn   bool // the last line is incomplete
}

// print prints a result. If it returns an error, the output may be missing or
// incomplete. The next result then begins on a new line, so that a reader of JSON
// lines loses nothing but the incomplete one.
func (p *printer) print(r result) error {
	var text []byte
	var err error
	if p.asJSON {
		text, err = jsonLine(r)
	} else {
		text = resultText(r)
	}
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.torn {
		text = append([]byte{'\n'}, text...)
	}
	n, err := p.w.Write(text)
	p.torn = err != nil && (n > 0 || p.torn)
	return err
}

// resultText returns a result as text: the build, a table of its runs, and the
// details of failed runs.
func resultText(r result) []byte {
	w := new(bytes.Buffer)
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
	_ = table.Flush() // writing to a Buffer cannot fail
	for _, run := range r.Runs {
		writeRun(w, run)
	}
	for _, m := range r.Missing {
		fmt.Fprintln(w, "  not fetched: "+plain(m))
	}
	fmt.Fprintln(w)
	return w.Bytes()
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
		line = line[strings.LastIndexByte(line, '\r')+1:] // the last state of a progress bar
		fmt.Fprintln(w, "    | "+plain(line))
	}
}

// duration formats a number of seconds. It returns "" for 0, which means unknown.
func duration(seconds float64) string {
	if seconds == 0 {
		return ""
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}

// firstLine returns the first line that is not blank.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

var ansiEscape = regexp.MustCompile("\x1b\\[[0-?]*[ -/]*[@-~]")

// plain removes everything that could control a terminal. Logs and commit messages
// are untrusted.
func plain(text string) string {
	text = strings.ReplaceAll(ansiEscape.ReplaceAllString(text, ""), "\t", "    ")
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
