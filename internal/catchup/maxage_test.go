package catchup_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestMaxAgeIsUnderTheWindowOfTheInbox(t *testing.T) {
	const usual = 14 * 24 * time.Hour
	days := func(n time.Duration) any { return &webhook.MemInbox{Window: n * 24 * time.Hour} }
	for _, tt := range []struct {
		name      string
		inbox     any
		set, want time.Duration
		err       string
	}{
		{"the default of both", new(webhook.MemInbox), 0, usual, ""},
		{"a short window", days(2), 0, 24 * time.Hour, ""},
		{"a long window", days(100), 0, usual, ""},
		{"set", days(2), 47 * time.Hour, 47 * time.Hour, ""},
		{"set to the window", days(2), 48 * time.Hour, 0, "MaxAge: the inbox remembers dedup keys for 48h0m0s (Window), and a look goes back 48h0m0s"},
		{"under zero", days(2), -1, 0, "MaxAge is -1ns, under zero"},
		{"an inbox that does not tell its window", nil, 0, usual, ""},
		{"likewise, and set", nil, 100 * usual, 100 * usual, ""},
	} {
		got, err := catchup.MaxAge(tt.inbox, tt.set, usual)
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v, %v, want %v and an error with %q", tt.name, got, err, tt.want, tt.err)
		}
	}
}
