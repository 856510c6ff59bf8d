package kudu_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

func TestDeploymentsAndRunsAreListed(t *testing.T) {
	site := newSite(http.NotFoundHandler())
	c, ctx := clientOf(site), t.Context()
	if list, err := c.Deployments(ctx); len(list) != 0 || err != nil {
		t.Errorf("a site without deployments lists %v, %v", list, err)
	}
	if _, err := c.JobRuns(ctx, "nightly"); !errors.Is(err, kudu.ErrJobNotFound) {
		t.Errorf("got %v, want ErrJobNotFound", err)
	}
	first := decode[kudu.Deployment](t, fixture(t, "deployment.camel.all-fields.json"))
	second := first
	second.ID, second.ReceivedTime, second.Status = "a/b c", wire.At(first.ReceivedTime.Add(time.Hour)), kudu.StatusFailed
	for _, d := range []kudu.Deployment{first, second} {
		site.Record(d)
	}
	list := must[[]kudu.Deployment](t)(c.Deployments(ctx))
	if len(list) != 2 || list[0].ID != second.ID || list[0].Status != kudu.StatusFailed || list[1].Message != first.Message ||
		!list[1].Active || list[1].HostName != "" || !list[0].EndTime.Equal(first.EndTime.Time) {
		t.Errorf("listed %+v", list)
	}
	run := decode[kudu.TriggeredJobRun](t, fixture(t, "job.scheduled.json"))
	site.RecordRun(run)
	runs := must[[]kudu.TriggeredJobRun](t)(c.JobRuns(ctx, "Reweigh"))
	run.JobName, run.URL = "Reweigh", "https://app.scm.example/api/triggeredwebjobs/Reweigh/history/"+run.ID
	if diff := cmp.Diff([]kudu.TriggeredJobRun{run}, runs, exported); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

func TestNamesOfJobsAreEscaped(t *testing.T) {
	var paths []string
	c := clientOf(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.EscapedPath())
		_, _ = w.Write([]byte(`{"runs":[]}`))
	}))
	if list, err := c.JobRuns(t.Context(), "a/b c"); len(list) != 0 || err != nil {
		t.Errorf("got %v, %v", list, err)
	}
	if diff := cmp.Diff([]string{"/api/triggeredwebjobs/a%2Fb%20c/history"}, paths); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	for _, name := range []string{"", ".", ".."} {
		if _, err := c.JobRuns(t.Context(), name); !errors.Is(err, kudu.ErrJobNotFound) || len(paths) != 1 {
			t.Errorf("%q: got %v, want ErrJobNotFound without a request", name, err)
		}
	}
}

func TestListsThatAreNoneAreErrors(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status int
		body   string
		want   error
	}{
		{"a page", 200, "<html>s3cret</html>", kudu.ErrAnswer},
		{"half a list", 200, `[{"id":"s3cret`, kudu.ErrAnswer},
		{"null", 200, `null`, kudu.ErrAnswer},
		{"no runs", 200, `{}`, kudu.ErrAnswer},
		{"an entry that cannot be decoded", 200, `[{"id":7,"message":"s3cret"}]`, kudu.ErrAnswer},
		{"a run that cannot be decoded", 200, `{"runs":[{"id":7,"trigger":"s3cret"}]}`, kudu.ErrAnswer},
		{"too large", 200, `[` + strings.Repeat(" ", 9<<20) + `]`, kudu.ErrTooLarge},
		{"not modified", 304, ``, kudu.ErrDenied}, // nothing was conditional
		{"expired", 401, ``, kudu.ErrDenied},
		{"restarting", 503, `<html>s3cret</html>`, kudu.ErrServer},
		{"limited", 429, ``, kudu.ErrRateLimited},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := clientOf(answering(tc.status, tc.body))
			_, err1 := c.Deployments(t.Context())
			_, err2 := c.JobRuns(t.Context(), "j")
			for _, err := range []error{err1, err2} {
				if !errors.Is(err, tc.want) || strings.Contains(err.Error(), "s3cret") {
					t.Errorf("got %v, want %v", err, tc.want)
				}
			}
		})
	}
}

func TestRetryAfterIsInSecondsOrATime(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"20": 20 * time.Second, "0": 0, "-5": 0, "soon": 0, "": 0, "99999999999": 24 * time.Hour,
		"Wed, 04 Mar 2026 05:08:07 GMT": 2 * time.Minute, "Wed, 04 Mar 2026 05:00:00 GMT": 0,
	} {
		c := clientOf(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", "Wed, 04 Mar 2026 05:06:07 GMT")
			w.Header().Set("Retry-After", text)
			w.WriteHeader(http.StatusTooManyRequests)
		}))
		_, err := c.Deployments(t.Context())
		if status, ok := errors.AsType[*kudu.StatusError](err); !ok || status.RetryAfter != want {
			t.Errorf("%q: got %+v, want %v", text, err, want)
		}
	}
}
