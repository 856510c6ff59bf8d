package jobserv_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

func TestBuildRoundTripKeepsEveryMember(t *testing.T) {
	for name, text := range builds(t) {
		t.Run(name, func(t *testing.T) {
			var b jobserv.Build
			if err := json.Unmarshal(text, &b); err != nil {
				t.Fatal(err)
			}
			again, err := json.Marshal(b)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tree(t, text), tree(t, again)); diff != "" {
				t.Errorf("encoded again (-sent +got):\n%s", diff)
			}
		})
	}
}

// The test above does not notice a misspelt tag of a member that no body has.
func TestTestdataContainsEveryMember(t *testing.T) {
	seen := make(map[string]bool)
	for _, text := range builds(t) {
		collect("", tree(t, text), seen)
	}
	for _, want := range append(tags("", reflect.TypeFor[jobserv.Build]()),
		append(tags(".runs", reflect.TypeFor[jobserv.Run]()), tags(".status_events", reflect.TypeFor[jobserv.StatusEvent]())...)...) {
		if !seen[want] {
			t.Errorf("no body contains %s", want)
		}
	}
}

func TestBuildRoundTripDistinguishesNullAndAbsent(t *testing.T) {
	for _, text := range []string{
		`{"build_id":1,"runs":[]}`,
		`{"build_id":1,"runs":[],"reason":null,"annotation":null}`,
		`{"build_id":1,"runs":[],"url":null,"status":null,"web_url":null,"name":null,"trigger_name":null,"runs_url":null,"status_events":null}`,
		`{"build_id":1,"runs":[],"created":null,"completed":null,"status_events":[{"time":null,"status":"QUEUED"}]}`,
		`{"build_id":1,"runs":[],"project_name":null,"build_status":null,"build_url":null,"build_reason":null}`,
		`{"build_id":1,"runs":[{"name":"a","url":"","status":"FAILED","log_url":null,"web_url":null,"created":null,"completed":null,"host_tag":null,"tests":null}]}`,
		`{"build_id":1,"runs":null,"reason":"","annotation":""}`,
	} {
		var b jobserv.Build
		if err := json.Unmarshal([]byte(text), &b); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tree(t, []byte(text)), tree(t, again)); diff != "" {
			t.Errorf("%s: encoded again (-sent +got):\n%s", text, diff)
		}
	}
}

func TestMethodsReadAllShapes(t *testing.T) {
	type view struct {
		Project, APIURL, Reason string
		ID                      int64
		Result                  jobserv.Status
		Passed, Rerun           bool
		Failed                  []string
		Duration                time.Duration
	}
	for file, want := range map[string]view{
		"build.detailed.json": {
			"acme/lmp", "https://api.example.com/projects/acme/lmp/builds/67/", "Push to devel: na\u00efve fix\n",
			67, jobserv.Passed, true, false, nil, 8*time.Minute + 51*time.Second,
		},
		"build.minimal.json": {
			"demo", "http://lci-web/projects/demo/builds/1/", "",
			1, jobserv.Failed, false, false, []string{"unit-test"}, 54*time.Second + 200199*time.Microsecond,
		},
		"build.rerun.json": {
			"acme/lmp", "https://api.example.com/projects/acme/lmp/builds/67/", "Push to devel: na\u00efve fix\n",
			67, jobserv.Passed, true, true, nil, 54*time.Minute + 27*time.Second,
		},
		"build.not-detailed.json": {
			"acme/lmp", "https://api.example.com/projects/acme/lmp/builds/66/", "",
			66, jobserv.Passed, true, false, nil, 8*time.Minute + 51*time.Second,
		},
		"build.first-shape.json": {
			"acme/lmp", "https://api.example.com/projects/acme/lmp/builds/12/", "Push to main: fix\n",
			12, jobserv.Failed, false, false, []string{"flash"}, 0,
		},
		"build.all-fields.json": {
			"acme/lmp", "https://api.example.com/projects/acme/lmp/builds/70/", "Merge branch 'x'\n\nSigned-off-by: A\u00e9 \u2603",
			70, jobserv.Failed, false, false, []string{"no-start"}, 11*time.Minute + 2*time.Second + 100*time.Millisecond - time.Microsecond,
		},
	} {
		t.Run(file, func(t *testing.T) {
			b := build(t, file)
			got := view{
				Project: b.Project(), APIURL: b.APIURL(), Reason: b.ReasonText(), ID: b.BuildID,
				Result: b.Result(), Passed: b.Passed(), Rerun: b.Rerun(), Duration: b.Duration(),
			}
			for _, r := range b.Failed() {
				got.Failed = append(got.Failed, r.Name)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRunLogAndDuration(t *testing.T) {
	full, first := build(t, "build.all-fields.json"), build(t, "build.first-shape.json")
	for _, tc := range []struct {
		name string
		run  jobserv.Run
		log  string
		took time.Duration
	}{
		{"log_url given", full.Runs[0], "https://api.example.com/projects/acme/lmp/builds/70/runs/build/console.log", 9*time.Minute + 59*time.Second + 750*time.Millisecond},
		{"never began", full.Runs[1], "https://api.example.com/projects/acme/lmp/builds/70/runs/no-start/console.log", 0},
		{"the first shape", first.Runs[1], "https://api.example.com/projects/acme/lmp/builds/12/runs/flash/console.log", 0},
		{"no slash at the end", jobserv.Run{URL: "https://h/runs/a"}, "https://h/runs/a/console.log", 0},
		{"an invalid URL", jobserv.Run{}, "", 0},
		{"times out of order", jobserv.Run{Created: wire.Unix(20), Completed: wire.Unix(10)}, "", 0},
	} {
		if got := tc.run.Log(); got != tc.log {
			t.Errorf("%s: got log %q, want %q", tc.name, got, tc.log)
		}
		if got := tc.run.Duration(); got != tc.took {
			t.Errorf("%s: got duration %v, want %v", tc.name, got, tc.took)
		}
	}
	if !full.Runs[0].Passed() || full.Runs[1].Passed() {
		t.Error("Run.Passed does not agree with the status")
	}
}

func TestStatuses(t *testing.T) {
	for status, want := range map[jobserv.Status]struct{ passed, complete bool }{
		"QUEUED":                {false, false},
		"RUNNING":               {false, false},
		"PASSED":                {true, true},
		"FAILED":                {false, true},
		"RUNNING_WITH_FAILURES": {false, false},
		"UPLOADING":             {false, false},
		"PROMOTED":              {true, true},
		"SKIPPED":               {false, true},
		"CANCELLING":            {false, false},
		"":                      {false, false},
		"passed":                {false, false},
	} {
		if status.Passed() != want.passed || status.Complete() != want.complete {
			t.Errorf("%q: got %v, %v, want %v", status, status.Passed(), status.Complete(), want)
		}
	}
}

// tree decodes a document into maps.
func tree(t testing.TB, text []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// collect adds the path of every member to seen.
func collect(path string, v any, seen map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			seen[path+"."+name] = true
			collect(path+"."+name, value, seen)
		}
	case []any:
		for _, value := range v {
			collect(path, value, seen)
		}
	}
}

// tags returns the paths of a struct's fields by their JSON names.
func tags(path string, typ reflect.Type) []string {
	var all []string
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		all = append(all, path+"."+name)
	}
	return all
}
