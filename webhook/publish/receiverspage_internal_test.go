package publish

import (
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// page returns the page for receivers.
func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("RECEIVERS.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var status = regexp.MustCompile(`\b\d{3}\b`)

// What the page says of an answer is what a Publisher makes of it.
func TestThePageForReceiversHasTheAnswers(t *testing.T) {
	says := map[string]verdict{ // by what a row of the page has
		"is delivered":                 {result: Delivered},
		"about this event":             {result: Rejected},
		"the endpoint is disabled":     {result: Failed, gone: true},
		"is not counted as an attempt": {result: Failed, throttled: true},
		"A failure":                    {result: Failed},
	}
	seen := make(map[int]bool)
	for line := range strings.Lines(page(t)) {
		cells := strings.Split(line, " | ")
		if len(cells) != 2 || !strings.HasPrefix(line, "| ") {
			continue
		}
		for meaning, want := range says {
			if !strings.Contains(cells[1], meaning) {
				continue
			}
			text := strings.NewReplacer("2xx", "200, 202, 204", "3xx", "301, 302, 307, 308").Replace(cells[0])
			for _, s := range status.FindAllString(text, -1) {
				code, err := strconv.Atoi(s)
				if err != nil {
					t.Fatal(err)
				}
				seen[code] = true
				got := judge(answer{status: code, header: http.Header{}}, time.Now())
				got.reason = ""
				if diff := cmp.Diff(want, got, cmp.AllowUnexported(verdict{})); diff != "" {
					t.Errorf("%d is said to be %q:\n%s", code, meaning, diff)
				}
			}
		}
	}
	for code := 100; code < 600; code++ {
		v := judge(answer{status: code, header: http.Header{}}, time.Now())
		if special := v.result == Rejected || v.gone || v.throttled; special && !seen[code] {
			t.Errorf("the page does not have %d", code)
		}
	}
	if len(seen) < 15 {
		t.Errorf("the page has %d statuses", len(seen))
	}
}

// The figures of the page are the defaults.
func TestThePageForReceiversHasTheFigures(t *testing.T) {
	text := strings.Join(strings.Fields(page(t)), " ")
	var waits []string
	for _, wait := range standardSchedule {
		s := wait.String()
		for _, zero := range []string{"m0s", "h0m"} {
			if cut, ok := strings.CutSuffix(s, zero); ok {
				s = cut + zero[:1]
			}
		}
		waits = append(waits, strings.NewReplacer("h", " h", "m", " min", "s", " s").Replace(s))
	}
	last := len(waits) - 1
	for _, want := range []string{
		"tried ten times. The waits between attempts are " + strings.Join(waits[:last], ", ") + " and " + waits[last] + ",",
		"Answer within " + strconv.Itoa(int(defaultTimeout.Seconds())) + " seconds",
		"after " + strconv.Itoa(int(shortestOpen.Seconds())) + " seconds at least, for up to " + strconv.Itoa(int(defaultRetention.Hours()/24)) + " days",
		"up to " + strconv.Itoa(int(longestWait.Hours())) + " hours, if the schedule",
		"The first " + strconv.Itoa(maxResponse) + " bytes of your answer",
		"gets nothing for " + strconv.Itoa(int(shortestOpen.Seconds())) + " seconds, then for twice as long each time, up to " + strconv.Itoa(int(longestOpen.Minutes())) + " minutes",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	if faultsToOpen != 3 || defaultDisableAfter != 5*24*time.Hour || leastSecretBytes != 24 || mostSecretBytes != 64 {
		t.Error("the page has other figures in words")
	}
}
