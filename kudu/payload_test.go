package kudu_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

// fixtures returns the bodies of testdata and, where the house's shared
// fixtures lie beside the repository, those of Kudu, by file name.
func fixtures(t testing.TB) map[string][]byte {
	t.Helper()
	own, err := filepath.Glob("testdata/*.json")
	if err != nil || len(own) == 0 {
		t.Fatalf("testdata: %d files, %v", len(own), err)
	}
	files := append(own, shared(t)...)
	bodies := make(map[string][]byte, len(files))
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		bodies[filepath.Base(name)] = body
	}
	return bodies
}

func shared(t testing.TB) []string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		files, _ := filepath.Glob(filepath.Join(dir, "shared", "fixtures", "kudu", "*.json"))
		if len(files) > 0 {
			t.Logf("%d shared fixtures", len(files))
			return files
		}
	}
	t.Log("no shared fixtures")
	return nil
}

// typeOf tells by a fixture's name what it is.
func typeOf(name string) string {
	switch {
	case strings.Contains(name, "deployment") && !strings.HasPrefix(name, "hook"):
		return "kudu.PostDeployment"
	case strings.HasPrefix(name, "job"), strings.HasPrefix(name, "triggeredjob"):
		return "kudu.TriggeredJobFinished"
	default:
		return "kudu.unknown"
	}
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	body, ok := fixtures(t)[name]
	if !ok {
		t.Fatalf("no fixture %s", name)
	}
	return body
}

func decode[T webhook.Payload](t testing.TB, body []byte) T {
	t.Helper()
	var zero T
	e, err := webhook.Decode[T](&webhook.Delivery{Type: zero.EventType(), Body: body})
	if err != nil {
		t.Fatal(err)
	}
	return e.Payload
}

// asMap keeps numbers as they are written.
func asMap(t testing.TB, doc []byte) map[string]any {
	t.Helper()
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

func comesBack[T webhook.Payload](t *testing.T, body []byte) {
	t.Helper()
	again, err := json.Marshal(decode[T](t, body))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(asMap(t, body), asMap(t, again)); diff != "" {
		t.Errorf("decoded and encoded (-sent +got):\n%s", diff)
	}
}

func TestEveryFieldComesBack(t *testing.T) {
	for name, body := range fixtures(t) {
		t.Run(name, func(t *testing.T) {
			switch typeOf(name) {
			case "kudu.PostDeployment":
				comesBack[kudu.Deployment](t, body)
			case "kudu.TriggeredJobFinished":
				comesBack[kudu.TriggeredJobRun](t, body)
			}
		})
	}
}

func TestADeploymentComesBackInItsSpelling(t *testing.T) {
	for _, tc := range []struct{ name, body string }{
		{"nothing", `{}`},
		{"null texts", `{"author":null,"site_name":null,"hostName":null}`},
		{"empty texts", `{"author":"","site_name":""}`},
		{"null times", `{"endTime":null,"start_time":null}`},
		{"a time without zone", `{"endTime":"0001-01-01T00:00:00"}`},
		{"a time that is none", `{"endTime":"soon"}`},
		{"null and false", `{"complete":null,"isTemporary":false,"is_readonly":false}`},
		{"status null", `{"status":null}`},
		{"status pending", `{"status":"pending"}`},
		{"status 0", `{"status":0}`},
		{"status 4", `{"status":4}`},
		{"status of an unknown number", `{"status":77}`},
		{"status of a negative number", `{"status":-1}`},
		{"status with an exponent", `{"status":4e0}`},
		{"status unknown", `{"status":"failure"}`},
		{"status empty", `{"status":""}`},
		{"spellings mixed", `{"siteName":"a","host_name":"b","is_temp":true,"isReadOnly":true,"vsproject_id":"c"}`},
		{"made-up spellings", `{"is_temporary":true,"is_read_only":true,"vs_project_id":"c","logUrl":"d","provisioning_state":"e"}`},
		{"HTML in a text", `{"message":"<a & b> \u2028 \"quoted\" \\"}`},
	} {
		t.Run(tc.name, func(t *testing.T) { comesBack[kudu.Deployment](t, []byte(tc.body)) })
	}
}

func TestBothSpellingsAreReadAlike(t *testing.T) {
	camel := decode[kudu.Deployment](t, fixture(t, "deployment.camel.all-fields.json"))
	snake := decode[kudu.Deployment](t, fixture(t, "deployment.snake.all-fields.json"))
	want := kudu.Deployment{
		ID: "9f2c4f3c1d0b7a6e5d4c3b2a190817263544f0e1", Status: kudu.StatusSuccess,
		AuthorEmail: "kim@example.com", Author: "Kim Poe", Message: "Weigh faster\n", Deployer: "GitHub",
		ReceivedTime:       wire.At(time.Date(2026, 3, 4, 5, 6, 7, 123456700, time.UTC)),
		StartTime:          wire.At(time.Date(2026, 3, 4, 5, 6, 8, 500000000, time.UTC)),
		EndTime:            wire.At(time.Date(2026, 3, 4, 5, 7, 0, 0, time.UTC)),
		LastSuccessEndTime: wire.At(time.Date(2026, 3, 4, 5, 7, 0, 0, time.UTC)),
		Complete:           true, IsTemporary: true, IsReadOnly: true,
		SiteName: "scale", HostName: "scale-staging.scm.azurewebsites.net", ProjectType: "NODE.JS",
	}
	for name, got := range map[string]kudu.Deployment{"camelCase": camel, "snake_case": snake} {
		if diff := cmp.Diff(want, got, exported); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// exported compares what a program can see: fields with a name in lower case
// are left out, and of a time counts the moment.
var exported = cmp.Options{
	cmp.FilterPath(func(p cmp.Path) bool {
		f, ok := p.Last().(cmp.StructField)
		return ok && f.Name() != strings.ToUpper(f.Name()[:1])+f.Name()[1:]
	}, cmp.Ignore()),
	cmp.Comparer(func(a, b wire.Time) bool { return a.Equal(b.Time) && a.Valid() == b.Valid() }),
}

func TestWhatIsAbsentHasItsDefault(t *testing.T) {
	got := decode[kudu.Deployment](t, fixture(t, "deployment.camel.pending.json"))
	if got.Status != kudu.StatusPending || got.Complete || got.IsTemporary || got.EndTime.Valid() || !got.EndTime.IsZero() {
		t.Errorf("got %q, complete %v, temporary %v, ended %v", got.Status, got.Complete, got.IsTemporary, got.EndTime)
	}
}

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
		t.Error("of the job statuses only Success is one")
	}
}

func TestADeploymentMadeInGo(t *testing.T) {
	for _, tc := range []struct {
		name string
		d    kudu.Deployment
		want string
	}{
		{"the zero value", kudu.Deployment{}, `{}`},
		{"pending", kudu.Deployment{Status: kudu.StatusPending}, `{}`},
		{"some fields", kudu.Deployment{ID: "a", Status: kudu.StatusFailed, EndTime: wire.Unix(1), SiteName: "s", IsReadOnly: true},
			`{"id":"a","status":"failed","endTime":1,"isReadOnly":true,"siteName":"s"}`},
	} {
		got, err := json.Marshal(tc.d)
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: got %s, %v, want %s", tc.name, got, err, tc.want)
		}
	}
}

func TestAChangedDeploymentKeepsItsSpelling(t *testing.T) {
	d := decode[kudu.Deployment](t, []byte(`{"status":4,"site_name":null,"is_temp":true,"author":"x"}`))
	d.Status, d.SiteName, d.IsTemporary, d.HostName = kudu.StatusFailed, "s", false, "h"
	got, err := json.Marshal(d)
	const want = `{"status":"failed","author":"x","is_temp":false,"site_name":"s","hostName":"h"}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func TestUnmarshalLeavesTheDeploymentOnError(t *testing.T) {
	d := kudu.Deployment{ID: "before"}
	for _, doc := range []string{`null`, `[]`, `"x"`, `{"id":1}`, `{"id":"a","siteName":"a","site_name":"b"}`} {
		err := json.Unmarshal([]byte(doc), &d)
		if d.ID != "before" || (err == nil) != (doc == "null") {
			t.Errorf("%s: got %v, id %q", doc, err, d.ID)
		}
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
		t.Errorf("no time at all: got %v, %v", got, err)
	}
}
