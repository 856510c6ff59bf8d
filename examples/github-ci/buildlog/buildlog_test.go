package buildlog

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMask(t *testing.T) {
	t.Parallel()
	secrets := [][]byte{[]byte("hunter22"), []byte("hunter22-longer"), []byte("22-lone")}
	for _, tt := range []struct{ name, text, want string }{
		{"no secret", "hunter21 and hunter\n", "hunter21 and hunter\n"},
		{"a secret", "a hunter22 b", "a *** b"},
		{"the longer of two", "hunter22-longer.", "***."},
		{"the begin of the longer", "hunter22-lon.", "***-lon."},
		{"secrets in a row", "hunter22hunter22", "******"},
		{"a begin that begins anew", "huhunter22", "hu***"},
		{"the begin at the end", "x hunter2", "x hunter2"},
		{"a secret at the end", "x hunter22", "x ***"},
		{"a line of the program", "[github-ci] x\nfine [github-ci] x\n[github-ci] y\r[github-ci] z", "| [github-ci] x\nfine [github-ci] x\n| [github-ci] y\r| [github-ci] z"},
		{"the begin of one", "[github", "[github"},
		{"bytes that are not UTF-8", "\xff\x00hunter22\xfe", "\xff\x00***\xfe"},
		{"nothing", "", ""},
	} {
		for first := range len(tt.text) + 1 {
			for second := first; second <= len(tt.text); second++ {
				m := newMask(secrets)
				got := string(m.next([]byte(tt.text[:first]))) + string(m.next([]byte(tt.text[first:second]))) + string(m.next([]byte(tt.text[second:]))) + string(m.rest())
				if got != tt.want {
					t.Errorf("%s, cut at %d and %d: %q, want %q", tt.name, first, second, got, tt.want)
				}
			}
		}
	}
	m := newMask(secrets)
	if got := string(m.next([]byte("line\n"))); got != "line\n" {
		t.Errorf("of a whole line %q is written at once", got)
	}
}

func open(t *testing.T, limit int64) (*Logs, *Log) {
	t.Helper()
	logs := New(t.TempDir(), limit, [][]byte{[]byte("hunter22")})
	log, err := logs.Open("a")
	if err != nil {
		t.Fatal(err)
	}
	return logs, log
}

func read(t *testing.T, l *Logs) string {
	t.Helper()
	text, _, _, err := l.Tail("a", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestLimitHidesSecretsAndKeepsOwnLines(t *testing.T) {
	t.Parallel()
	logs, log := open(t, 10)
	for _, part := range []string{"12345 hun", "ter22 more", "and more"} {
		if n, err := log.Write([]byte(part)); err != nil || n != len(part) {
			t.Errorf("Write(%q) = %d, %v", part, n, err)
		}
	}
	log.Printf("own %s", "line")
	log.Close()
	text := read(t, logs)
	if !strings.HasPrefix(text, "12345 *** \n[github-ci] ") || strings.Count(text, "truncated at 10 bytes") != 1 || !strings.HasSuffix(text, " own line\n") {
		t.Errorf("the log is %q", text)
	}
}

func TestOwnLineAfterAnUnfinishedLine(t *testing.T) {
	t.Parallel()
	logs, log := open(t, 1000)
	_, _ = log.Write([]byte("begin of hunter2"))
	log.Printf("stopped")
	log.Close()
	if text := read(t, logs); !strings.HasPrefix(text, "begin of hunter2\n[github-ci] ") {
		t.Errorf("the log is %q", text)
	}
	if err := logs.Remove("a"); err != nil {
		t.Error(err)
	}
	if err := logs.Remove("a"); err != nil {
		t.Errorf("removing it twice: %v", err)
	}
}

// A write wakes up the readers of its own log, and costs nothing if there are none.
func TestWriteWakesOnlyReadersOfItsLog(t *testing.T) {
	t.Parallel()
	logs, a := open(t, 1000)
	b, err := logs.Open("b")
	if err != nil {
		t.Fatal(err)
	}
	detachA, detachB := logs.attach("a"), logs.attach("b")
	_, changedA := logs.watch("a")
	live, changedB := logs.watch("b")
	if !live {
		t.Error("an open log is not live")
	}
	a.Printf("x")
	select {
	case <-changedA:
	default:
		t.Error("a reader of the log was not woken up")
	}
	select {
	case <-changedB:
		t.Error("a reader of another log was woken up")
	default:
	}
	b.Close()
	<-changedB
	if live, _ := logs.watch("b"); live {
		t.Error("a closed log is live")
	}
	detachA()
	detachB()
	a.Close()
	if len(logs.entries) != 0 {
		t.Errorf("%d entries are left", len(logs.entries))
	}
}

func TestStreamsAreLimited(t *testing.T) {
	t.Parallel()
	logs, log := open(t, 1000)
	defer log.Close()
	for range maxStreams {
		logs.streams <- struct{}{}
	}
	state := func(context.Context) (State, error) { return State{}, nil }
	w := httptest.NewRecorder()
	if err := logs.ServeEvents(w, httptest.NewRequest(http.MethodGet, "/", nil), "a", state); err != nil || w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d, %v, want %d", w.Code, err, http.StatusServiceUnavailable)
	}
}

// A character that is written in two parts is sent in one, and a resumed stream begins
// where the other one has ended.
func TestStreamSendsWholeCharacters(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	logs := New(dir, 1000, nil)
	if err := os.WriteFile(filepath.Join(dir, "a.log"), []byte("gr\xc3\xb6\xc3"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = logs.ServeEvents(w, r, "a", func(context.Context) (State, error) { return State{State: "done", Finished: true}, nil })
	}))
	defer server.Close()
	for from, want := range map[string]string{"0": "grö\ufffd", "2": "ö\ufffd", "99": "", "-1": "grö\ufffd"} {
		res, err := http.Get(server.URL + "?from=" + from)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		decode(t, res, &text)
		if text.String() != want {
			t.Errorf("from %s: %q, want %q", from, text.String(), want)
		}
	}
}

// decode collects the messages of a stream.
func decode(t *testing.T, res *http.Response, text *strings.Builder) {
	t.Helper()
	defer res.Body.Close()
	body := new(strings.Builder)
	buffer := make([]byte, 1024)
	for n, err := 0, error(nil); err == nil; {
		n, err = res.Body.Read(buffer)
		body.Write(buffer[:n])
	}
	for block := range strings.SplitSeq(body.String(), "\n\n") {
		if id, data, ok := strings.Cut(block, "\ndata: "); ok && strings.HasPrefix(id, "id: ") {
			var part string
			if err := json.Unmarshal([]byte(data), &part); err != nil {
				t.Fatal(err)
			}
			text.WriteString(part)
		}
	}
}
