package kudutest

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"sort"
	"strings"

	"github.com/hookhouse/hookhouse/kudu"
)

// defaultHistory is the default of WEBJOBS_HISTORY_SIZE
// (https://learn.microsoft.com/azure/app-service/reference-app-settings).
const defaultHistory = 50

type run = kudu.TriggeredJobRun

// RecordRun lists a run of the job that it names, without a call of hooks: one
// that is in progress, or was interrupted. It replaces the run with its ID.
func (s *Server) RecordRun(r kudu.TriggeredJobRun) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs == nil {
		s.runs = make(map[string][]run)
	}
	name := strings.ToLower(r.JobName)
	runs := s.runs[name]
	n := sort.Search(len(runs), func(n int) bool { return runs[n].ID >= r.ID })
	if n < len(runs) && runs[n].ID == r.ID {
		runs[n] = r
	} else {
		runs = slices.Insert(runs, n, r) // in most cases at the end
	}
	s.runs[name] = runs[max(0, len(runs)-cmp.Or(s.History, defaultHistory)):]
}

// Runs returns the runs of a job that are listed, newest first. The caller owns the slice.
func (s *Server) Runs(job string) []kudu.TriggeredJobRun {
	s.mu.Lock()
	defer s.mu.Unlock()
	runs := slices.Clone(s.runs[strings.ToLower(job)])
	slices.Reverse(runs)
	return runs
}

// A listedRun is a run in the list (Kudu: TriggeredJobRun.cs).
type listedRun struct {
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	Status    kudu.JobStatus `json:"status"`
	StartTime any            `json:"start_time"` // a time, as the next
	EndTime   any            `json:"end_time"`
	Duration  string         `json:"duration"`
	OutputURL any            `json:"output_url"` // a text or null, as the next
	ErrorURL  any            `json:"error_url"`
	URL       string         `json:"url"`
	JobName   string         `json:"job_name"`
	Trigger   any            `json:"trigger"` // a text or null
}

// listRuns is the route of the history of a job. The URLs of a run have the host
// by which the site is called now (Kudu: JobsManagerBase.cs).
func (s *Server) listRuns(r *http.Request, job string) reply {
	runs := s.Runs(job)
	if len(runs) == 0 {
		return reply{status: http.StatusNotFound}
	}
	h := fnv.New64a()
	_, _ = fmt.Fprintln(h, runs[0].ID, runs[0].Status, runs[0].EndTime.Text()) // never fails
	etag := fmt.Sprintf(`"%x"`, h.Sum64())
	if r.Header.Get("If-None-Match") == etag {
		return reply{status: http.StatusNotModified, header: http.Header{"Etag": {etag}}}
	}
	list := make([]listedRun, len(runs))
	for i, run := range runs {
		list[i] = listedRun{
			ID: run.ID, Name: run.ID, Status: run.Status, StartTime: orNeverSet(run.StartTime), EndTime: orNeverSet(run.EndTime),
			Duration: run.TimeSpan, OutputURL: run.OutputURL, ErrorURL: run.ErrorURL,
			URL: baseURL(r) + "/api/triggeredwebjobs/" + job + "/history/" + run.ID, JobName: job, Trigger: run.Trigger,
		}
	}
	answer := encode(http.StatusOK, map[string][]listedRun{"runs": list})
	answer.header = http.Header{"Etag": {etag}}
	return answer
}
