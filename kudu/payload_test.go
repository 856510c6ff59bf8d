package kudu_test

import (
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/kudu"
)

func TestStatus(t *testing.T) {
	for _, tc := range []struct {
		written   string
		want      kudu.Status
		succeeded bool
	}{
		{`"success"`, kudu.StatusSuccess, true},
		{`"Success"`, "Success", true},
		{`"failed"`, kudu.StatusFailed, false},
		{`"failure"`, "failure", false},
		{`""`, "", false},
		{`null`, kudu.StatusPending, false},
		{`0`, kudu.StatusPending, false},
		{`1`, kudu.StatusBuilding, false},
		{`2`, kudu.StatusDeploying, false},
		{`3`, kudu.StatusFailed, false},
		{`4`, kudu.StatusSuccess, true},
		{`5`, "5", false},
		{`-1`, "-1", false},
		{`1e999`, "1e999", false},
	} {
		got := decode[kudu.Deployment](t, []byte(`{"status":`+tc.written+`}`)).Status
		if got != tc.want || got.Succeeded() != tc.succeeded {
			t.Errorf("%s: got %q, succeeded %v", tc.written, got, got.Succeeded())
		}
	}
	if !kudu.JobSuccess.Succeeded() || kudu.JobAborted.Succeeded() || kudu.JobStatus("").Succeeded() {
		t.Error("JobStatus.Succeeded is not true for JobSuccess alone")
	}
}

func TestSiteAndHost(t *testing.T) {
	if got := (kudu.Deployment{SiteName: "s", HostName: "h"}).Site(); got != "h" {
		t.Errorf("got %q, want the host", got)
	}
	if got := (kudu.Deployment{SiteName: "s"}).Site(); got != "s" {
		t.Errorf("got %q, want the site", got)
	}
	if got := (kudu.Deployment{SiteName: "S", HostName: "App.SCM.example"}).Site(); got != "app.scm.example" {
		t.Errorf("got %q, want the host in lower case", got)
	}
	for url, want := range map[string]string{"https://a.scm.example/x": "a.scm.example", "https://A.scm.example/x": "a.scm.example", "": "", "/x": "", "https://a b/": "", "%": ""} {
		if got := (kudu.TriggeredJobRun{URL: url}).Host(); got != want {
			t.Errorf("%q: got %q, want %q", url, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	const day = 24 * time.Hour
	for _, tc := range []struct {
		text string
		want time.Duration // 0 where it is no time span
	}{
		{"00:00:05.4228729", 5*time.Second + 422872900},
		{"00:00:05", 5 * time.Second},
		{"23:59:59", day - time.Second},
		{"1.00:00:00", day},
		{"10.01:02:03.0000001", 10*day + time.Hour + 2*time.Minute + 3*time.Second + 100},
		{"-00:00:01.5", -1500 * time.Millisecond},
		{"-3.00:00:00", -3 * day},
		{"00:00:00.1", 100 * time.Millisecond},
		{"106751.23:47:16.8547758", 9223372036854775800},
		{"106751.23:47:16.8547759", 0},
		{"106752.00:00:00", 0},
		{"10675199.02:48:05.4775807", 0},
		{"-10675199.02:48:05.4775808", 0},
		{"", 0}, {"-", 0}, {"5", 0}, {"00:05", 0}, {"0:00:05", 0}, {"000:00:05", 0}, {"24:00:00", 0}, {"00:60:00", 0},
		{"00:00:60", 0}, {"00:00:05.", 0}, {"00:00:05.12345678", 0}, {".00:00:05", 0}, {"1.2.00:00:05", 0},
		{"1:00:00:05", 0}, {"+00:00:05", 0}, {"--00:00:05", 0}, {"00:00:+5", 0}, {" 00:00:05", 0}, {"00:00:05 ", 0},
		{"5.4228729s", 0}, {"00:00:0\u0665", 0},
	} {
		got, err := kudu.TriggeredJobRun{TimeSpan: tc.text}.Duration()
		if got != tc.want || (err == nil) != (tc.want != 0) {
			t.Errorf("%q: got %d, %v, want %d", tc.text, got, err, tc.want)
		}
	}
	if got, err := (kudu.TriggeredJobRun{TimeSpan: "00:00:00"}).Duration(); got != 0 || err != nil {
		t.Errorf("zero duration: got %v, %v", got, err)
	}
}
