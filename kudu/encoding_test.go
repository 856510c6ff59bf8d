package kudu_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

// checkRoundTrip checks that a decoded and encoded body has the same members.
func checkRoundTrip[T webhook.Payload](t *testing.T, body []byte) {
	t.Helper()
	again, err := json.Marshal(decode[T](t, body))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(asMap(t, body), asMap(t, again)); diff != "" {
		t.Errorf("decoded and encoded (-sent +got):\n%s", diff)
	}
}

func TestRoundTripKeepsEveryField(t *testing.T) {
	for name, body := range fixtures(t) {
		t.Run(name, func(t *testing.T) {
			switch typeOf(name) {
			case "kudu.PostDeployment":
				checkRoundTrip[kudu.Deployment](t, body)
			case "kudu.TriggeredJobFinished":
				checkRoundTrip[kudu.TriggeredJobRun](t, body)
			}
		})
	}
}

func TestDeploymentRoundTripKeepsSpellings(t *testing.T) {
	for _, tc := range []struct{ name, body string }{
		{"an empty object", `{}`},
		{"null texts", `{"author":null,"site_name":null,"hostName":null}`},
		{"empty texts", `{"author":"","site_name":""}`},
		{"null times", `{"endTime":null,"start_time":null}`},
		{"a time without zone", `{"endTime":"0001-01-01T00:00:00"}`},
		{"an invalid time", `{"endTime":"soon"}`},
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
		{"spellings that Kudu does not send", `{"is_temporary":true,"is_read_only":true,"vs_project_id":"c","logUrl":"d","provisioning_state":"e"}`},
		{"HTML in a text", `{"message":"<a & b> \u2028 \"quoted\" \\"}`},
	} {
		t.Run(tc.name, func(t *testing.T) { checkRoundTrip[kudu.Deployment](t, []byte(tc.body)) })
	}
}

func TestBothSpellingsDecodeAlike(t *testing.T) {
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

// exported makes cmp compare exported fields only, and times by their instant.
var exported = cmp.Options{
	cmp.FilterPath(func(p cmp.Path) bool {
		f, ok := p.Last().(cmp.StructField)
		return ok && f.Name() != strings.ToUpper(f.Name()[:1])+f.Name()[1:]
	}, cmp.Ignore()),
	cmp.Comparer(func(a, b wire.Time) bool { return a.Equal(b.Time) && a.Valid() == b.Valid() }),
}

func TestAbsentFieldsHaveTheirDefault(t *testing.T) {
	got := decode[kudu.Deployment](t, fixture(t, "deployment.camel.pending.json"))
	if got.Status != kudu.StatusPending || got.Complete || got.IsTemporary || got.EndTime.Valid() || !got.EndTime.IsZero() {
		t.Errorf("got %q, complete %v, temporary %v, ended %v", got.Status, got.Complete, got.IsTemporary, got.EndTime)
	}
}

func TestEncodingOfADeploymentMadeInGo(t *testing.T) {
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

func TestChangedDeploymentKeepsSpellings(t *testing.T) {
	d := decode[kudu.Deployment](t, []byte(`{"status":4,"site_name":null,"is_temp":true,"author":"x"}`))
	d.Status, d.SiteName, d.IsTemporary, d.HostName = kudu.StatusFailed, "s", false, "h"
	got, err := json.Marshal(d)
	const want = `{"status":"failed","author":"x","is_temp":false,"site_name":"s","hostName":"h"}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func TestUnmarshalJSONKeepsTheDeploymentOnError(t *testing.T) {
	d := kudu.Deployment{ID: "before"}
	for _, doc := range []string{`null`, `[]`, `"x"`, `{"id":1}`, `{"id":"a","siteName":"a","site_name":"b"}`} {
		err := json.Unmarshal([]byte(doc), &d)
		if d.ID != "before" || (err == nil) != (doc == "null") {
			t.Errorf("%s: got %v, id %q", doc, err, d.ID)
		}
	}
}
