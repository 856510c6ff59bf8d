package rule

import (
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
)

func TestRuleMatches(t *testing.T) {
	tests := map[string]struct {
		rule       string
		matches    []dockerhub.Tag
		matchesNot []dockerhub.Tag
	}{
		"an exact tag":               {"acme/app:1.4.0=exec:web", []dockerhub.Tag{"1.4.0"}, []dockerhub.Tag{"v1.4.0", "1.4", "1.4.00", "latest", ""}},
		"latest":                     {"acme/app:latest=exec:web", []dockerhub.Tag{"latest"}, []dockerhub.Tag{"Latest", "1.4.0"}},
		"a caret":                    {"acme/app:^1.4=exec:web", []dockerhub.Tag{"1.4.0", "v1.4.1", "1.99.0"}, []dockerhub.Tag{"1.3.9", "2.0.0", "1", "1.4", "v1", "latest", "1.5.0-rc.1", "1.5.0-alpine", "sha-abc1234", "pr-2"}},
		"a tilde":                    {"acme/app:~2.0=exec:web", []dockerhub.Tag{"2.0.0", "2.0.7"}, []dockerhub.Tag{"2.1.0", "2.0", "2.0.1-beta"}},
		"a lower and an upper bound": {"acme/app:>=1.2 <3=exec:web", []dockerhub.Tag{"1.2.0", "2.9.9"}, []dockerhub.Tag{"1.1.9", "3.0.0"}},
		"pre-releases":               {"acme/app:^1.4-0=exec:web", []dockerhub.Tag{"1.4.0", "1.5.0-rc.1"}, []dockerhub.Tag{"2.0.0-rc.1"}},
		"numbers beyond 64 bits":     {"acme/app:>=0=exec:web", []dockerhub.Tag{"1.0.0"}, []dockerhub.Tag{"99999999999999999999.0.0"}},
		"a glob":                     {"acme/app:nightly-*=exec:web", []dockerhub.Tag{"nightly-1", "nightly-2026-01-01"}, []dockerhub.Tag{"nightly", "a-nightly-1", "nightly-*", "nightly-/x"}},
		"a glob with a class":        {"acme/app:1.[24].?=exec:web", []dockerhub.Tag{"1.2.0", "1.4.9"}, []dockerhub.Tag{"1.3.0", "1.2.10"}},
		"a range like 1.4.x":         {"acme/app:~1.4=exec:web", []dockerhub.Tag{"1.4.0", "1.4.9"}, []dockerhub.Tag{"1.4.x", "1.5.0"}},
		"the tag 1.4.x":              {"acme/app:1.4.[x]=exec:web", []dockerhub.Tag{"1.4.x"}, []dockerhub.Tag{"1.4.0", "1.4.X"}},
		"a repository with its host": {"docker.io/acme/app:latest=exec:web", []dockerhub.Tag{"latest"}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := Parse(test.rule, "")
			if err != nil {
				t.Fatal(err)
			}
			if r.Target != "exec:web" {
				t.Fatalf("r.Target = %q, want \"exec:web\"", r.Target)
			}
			for _, tag := range test.matches {
				if !r.Matches("acme/app", tag) {
					t.Fatalf(`%q: r.Matches("acme/app", tag) is false, want true`, tag)
				}
				if r.Matches("acme/app2", tag) {
					t.Fatalf(`%q of another repository: r.Matches("acme/app2", tag) is true, want false`, tag)
				}
			}
			for _, tag := range test.matchesNot {
				if r.Matches("acme/app", tag) {
					t.Fatalf(`%q: r.Matches("acme/app", tag) is true, want false`, tag)
				}
			}
		})
	}
}

func TestInvalidRules(t *testing.T) {
	for text, fault := range map[string]string{
		"":                                 "no target: want REPOSITORY:TAGS=run:FILE, =service:NAME or =exec:NAME",
		"acme/app:latest":                  "no target",
		"acme/app:latest=web":              "a container is now declared by a file of the options of docker run, and -print-options CONTAINER writes one",
		"acme/app:>=1.2":                   "no target",
		"acme/app=exec:web":                "no tag",
		"acme/app:=exec:web":               "no tag",
		"acme/app:latest=run:":             "no file of options",
		"acme/app:latest=exec:":            `"" is not a name`,
		"acme/app:latest=service:--rm":     `"--rm" is not a name`,
		"acme/app:1.4.x=exec:web":          `"1.4.x" is ambiguous: write ~1.4 for a version range, or 1.4.[x] for this tag`,
		"acme/app:v1.4.X=exec:web":         `"v1.4.X" is ambiguous: write ~1.4 for a version range, or v1.4.[X] for this tag`,
		"acme/app:2.x.x=exec:web":          `"2.x.x" is ambiguous: write ~2 for a version range, or 2.x.[x] for this tag`,
		"acme/app:latest=exec:a/b":         `"a/b" is not a name`,
		"Acme/app:latest=exec:web":         `"Acme/app" is not a repository of Docker Hub`,
		"ghcr.io/acme/app:latest=exec:web": `"ghcr.io/acme/app" is not a repository of Docker Hub`,
		":latest=exec:web":                 `"" is not a repository of Docker Hub`,
		"acme/app:^^1=exec:web":            `"^^1" is not a version range: improper constraint`,
		"acme/app:>=exec:web":              `">" is not a version range`,
		"acme/app:[a=exec:web":             `"[a" is not a glob: syntax error in pattern`,
		"acme/app:a/b=exec:web":            `"a/b" is not a tag`,
	} {
		_, err := Parse(text, "")
		if err == nil || !strings.Contains(err.Error(), fault) {
			t.Fatalf("error = %v, want it to contain %q", err, fault)
		}
	}
}

func TestOlder(t *testing.T) {
	early, late := time.UnixMicro(1), time.UnixMicro(2)
	tests := map[string]struct {
		rule string
		a, b Release
		want bool
	}{
		"a lower version, pushed later":             {"acme/app:^1=exec:web", Release{"1.4.0", late}, Release{"1.10.0", early}, true},
		"a higher version, pushed earlier":          {"acme/app:^1=exec:web", Release{"v1.10.0", early}, Release{"1.4.0", late}, false},
		"a pre-release of the same":                 {"acme/app:^1-0=exec:web", Release{"1.4.0-rc.1", late}, Release{"1.4.0", early}, true},
		"the same version again":                    {"acme/app:^1=exec:web", Release{"1.4.0", early}, Release{"1.4.0", late}, false},
		"compared with a tag that is not a version": {"acme/app:^1=exec:web", Release{"1.4.0", late}, Release{"latest", early}, false},
		"a glob, pushed earlier":                    {"acme/app:n-*=exec:web", Release{"n-9", early}, Release{"n-1", late}, true},
		"a glob, pushed later":                      {"acme/app:n-*=exec:web", Release{"n-1", late}, Release{"n-9", early}, false},
		"an exact tag":                              {"acme/app:latest=exec:web", Release{"latest", early}, Release{"latest", late}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := Parse(test.rule, "")
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Older(test.a, test.b); got != test.want {
				t.Fatalf("r.Older(test.a, test.b) = %v, want %v", got, test.want)
			}
		})
	}
}
