package main

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
		"an exact tag":               {"acme/app:1.4.0=web", []dockerhub.Tag{"1.4.0"}, []dockerhub.Tag{"v1.4.0", "1.4", "1.4.00", "latest", ""}},
		"latest":                     {"acme/app:latest=web", []dockerhub.Tag{"latest"}, []dockerhub.Tag{"Latest", "1.4.0"}},
		"a caret":                    {"acme/app:^1.4=web", []dockerhub.Tag{"1.4.0", "v1.4.1", "1.99.0"}, []dockerhub.Tag{"1.3.9", "2.0.0", "1", "1.4", "v1", "latest", "1.5.0-rc.1", "1.5.0-alpine", "sha-abc1234", "pr-2"}},
		"a tilde":                    {"acme/app:~2.0=web", []dockerhub.Tag{"2.0.0", "2.0.7"}, []dockerhub.Tag{"2.1.0", "2.0", "2.0.1-beta"}},
		"a lower and an upper bound": {"acme/app:>=1.2 <3=web", []dockerhub.Tag{"1.2.0", "2.9.9"}, []dockerhub.Tag{"1.1.9", "3.0.0"}},
		"pre-releases":               {"acme/app:^1.4-0=web", []dockerhub.Tag{"1.4.0", "1.5.0-rc.1"}, []dockerhub.Tag{"2.0.0-rc.1"}},
		"numbers beyond 64 bits":     {"acme/app:>=0=web", []dockerhub.Tag{"1.0.0"}, []dockerhub.Tag{"99999999999999999999.0.0"}},
		"a glob":                     {"acme/app:nightly-*=web", []dockerhub.Tag{"nightly-1", "nightly-2026-01-01"}, []dockerhub.Tag{"nightly", "a-nightly-1", "nightly-*", "nightly-/x"}},
		"a glob with a class":        {"acme/app:1.[24].?=web", []dockerhub.Tag{"1.2.0", "1.4.9"}, []dockerhub.Tag{"1.3.0", "1.2.10"}},
		"a range like 1.4.x":         {"acme/app:~1.4=web", []dockerhub.Tag{"1.4.0", "1.4.9"}, []dockerhub.Tag{"1.4.x", "1.5.0"}},
		"the tag 1.4.x":              {"acme/app:1.4.[x]=web", []dockerhub.Tag{"1.4.x"}, []dockerhub.Tag{"1.4.0", "1.4.X"}},
		"a repository with its host": {"docker.io/acme/app:latest=web", []dockerhub.Tag{"latest"}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := parseRule(test.rule)
			if err != nil {
				t.Fatal(err)
			}
			if r.target != "web" {
				t.Fatalf("r.target = %q, want \"web\"", r.target)
			}
			for _, tag := range test.matches {
				if !r.matches("acme/app", tag) {
					t.Fatalf(`%q: r.matches("acme/app", tag) is false, want true`, tag)
				}
				if r.matches("acme/app2", tag) {
					t.Fatalf(`%q of another repository: r.matches("acme/app2", tag) is true, want false`, tag)
				}
			}
			for _, tag := range test.matchesNot {
				if r.matches("acme/app", tag) {
					t.Fatalf(`%q: r.matches("acme/app", tag) is true, want false`, tag)
				}
			}
		})
	}
}

func TestInvalidRules(t *testing.T) {
	for text, fault := range map[string]string{
		"":                            "no container",
		"acme/app:latest":             "no container",
		"acme/app=web":                "no tag",
		"acme/app:=web":               "no tag",
		"acme/app:latest=":            `"" is not a container name`,
		"acme/app:latest=--rm":        `"--rm" is not a container name`,
		"acme/app:>=1.2":              `no container, or incomplete range ">": want image:tag=container`,
		"acme/app:>=1.2 <3":           `no container, or incomplete range ">": want image:tag=container`,
		"acme/app:!=1.2":              `no container, or incomplete range "!": want image:tag=container`,
		"acme/app:1.4.x=web":          `"1.4.x" is ambiguous: write ~1.4 for a version range, or 1.4.[x] for this tag`,
		"acme/app:v1.4.X=web":         `"v1.4.X" is ambiguous: write ~1.4 for a version range, or v1.4.[X] for this tag`,
		"acme/app:2.x=web":            `"2.x" is ambiguous: write ~2 for a version range, or 2.[x] for this tag`,
		"acme/app:2.x.x=web":          `"2.x.x" is ambiguous: write ~2 for a version range, or 2.x.[x] for this tag`,
		"acme/app:latest=a/b":         `"a/b" is not a container name`,
		"Acme/app:latest=web":         `"Acme/app" is not a repository of Docker Hub`,
		"ghcr.io/acme/app:latest=web": `"ghcr.io/acme/app" is not a repository of Docker Hub`,
		":latest=web":                 `"" is not a repository of Docker Hub`,
		"acme/app:^^1=web":            `"^^1" is not a version range: improper constraint`,
		"acme/app:>=web":              `no container, or incomplete range ">"`,
		"acme/app:[a=web":             `"[a" is not a glob: syntax error in pattern`,
		"acme/app:a/b=web":            `"a/b" is not a tag`,
		"acme/app:-x=web":             `"-x" is not a tag`,
	} {
		_, err := parseRule(text)
		if err == nil || !strings.Contains(err.Error(), "rule "+quoted(text)+": "+fault) {
			t.Fatalf("error = %v, want it to contain %q", err, "rule "+quoted(text)+": "+fault)
		}
	}
}

func quoted(s string) string { return `"` + s + `"` }

func TestOlder(t *testing.T) {
	early, late := time.UnixMicro(1), time.UnixMicro(2)
	tests := map[string]struct {
		rule string
		a, b release
		want bool
	}{
		"a lower version, pushed later":             {"acme/app:^1=web", release{"1.4.0", late}, release{"1.10.0", early}, true},
		"a higher version, pushed earlier":          {"acme/app:^1=web", release{"v1.10.0", early}, release{"1.4.0", late}, false},
		"a pre-release of the same":                 {"acme/app:^1-0=web", release{"1.4.0-rc.1", late}, release{"1.4.0", early}, true},
		"the same version again":                    {"acme/app:^1=web", release{"1.4.0", early}, release{"1.4.0", late}, false},
		"compared with a tag that is not a version": {"acme/app:^1=web", release{"1.4.0", late}, release{"latest", early}, false},
		"a glob, pushed earlier":                    {"acme/app:n-*=web", release{"n-9", early}, release{"n-1", late}, true},
		"a glob, pushed later":                      {"acme/app:n-*=web", release{"n-1", late}, release{"n-9", early}, false},
		"an exact tag":                              {"acme/app:latest=web", release{"latest", early}, release{"latest", late}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := parseRule(test.rule)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.older(test.a, test.b); got != test.want {
				t.Fatalf("r.older(test.a, test.b) = %v, want %v", got, test.want)
			}
		})
	}
}
