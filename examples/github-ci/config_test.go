package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestInvalidConfigOrFlags(t *testing.T) {
	t.Parallel()
	one := func(fields string) string { return "repositories:\n- name: acme/app\n" + fields }
	good := one("  branches: [main]\n  command: make\n")
	tests := []struct {
		name, config string
		args, env    []string
		want         string
	}{
		{name: "no configuration", args: []string{"-config", "none.yaml"}, want: "-config: open none.yaml: no such file"},
		{name: "an empty configuration", config: "", want: "no repositories are configured"},
		{name: "invalid YAML", config: "repositories: [", want: "yaml: line 1"},
		{name: "an unknown field at the top", config: "repos: []\n", want: "line 1: field repos not found"},
		{name: "an unknown field of a rule", config: one("  branch: [main]\n"), want: `line 3: unknown field "branch"`},
		{name: "two documents", config: good + "---\n" + good, want: "more than one YAML document"},
		{name: "a rule that is not a mapping", config: "repositories:\n- acme/app\n", want: "line 2: a repository must be a mapping"},
		{name: "a field of the wrong type", config: one("  branches: {a: b}\n"), want: "line 3: cannot unmarshal"},
		{name: "no name", config: "repositories:\n- branches: [main]\n", want: `line 2: name: "" is not a repository`},
		{name: "a name with a path traversal", config: "repositories:\n- name: acme/..\n", want: `name: "acme/.." is not a repository`},
		{name: "the same name twice", config: good + "- {name: ACME/App, branches: [x], command: y}\n", want: `line 5: repository "ACME/App" is configured twice`},
		{name: "no command", config: one("  branches: [main]\n"), want: `line 2: repository "acme/app": command: missing`},
		{name: "nothing to build", config: one("  command: make\n"), want: "branches and tags are both empty"},
		{name: "a bad glob", config: one("  branches: ['[a']\n  command: x\n"), want: `"[a" is not a valid glob`},
		{name: "a bad time limit", config: one("  branches: [a]\n  command: x\n  timeout: 20\n"), want: "line 5: cannot unmarshal !!int `20` into time.Duration"},
		{name: "a time limit of zero", config: one("  branches: [a]\n  command: x\n  timeout: 0s\n"), want: "timeout: 0s is not above 0"},
		{name: "a remote that is a command", config: one("  branches: [a]\n  command: x\n  remote: ext::sh\n"), want: `remote: "ext::sh" is not an http or https URL`},
		{name: "a remote that is an option", config: one("  branches: [a]\n  command: x\n  remote: --upload-pack=x\n"), want: `remote: "--upload-pack=x" is not`},
		{name: "a remote with a password", config: one("  branches: [a]\n  command: x\n  remote: https://a:pass@example.com/x\n"), want: "remote: must not contain a user"},
		{name: "a remote of another scheme with a password", config: one("  branches: [a]\n  command: x\n  remote: ssh://a:pass@example.com/x\n"), want: "remote: must not contain a user"},
		{name: "a malformed URL with a password", config: good, args: []string{"-api", "https://a:pass@example.com/%zz"}, want: "-api: must not contain a user"},
		{name: "a URL with a password", config: good, args: []string{"-url", "https://a:pass@example.com"}, want: "-url: must not contain a user"},
		{name: "no secret", config: good, env: []string{"GITHUB_WEBHOOK_SECRET="}, want: "GITHUB_WEBHOOK_SECRET is not set"},
		{name: "no token", config: good, env: []string{"GITHUB_TOKEN="}, want: "GITHUB_TOKEN is not set"},
		{name: "a missing token file", config: good, env: []string{"GITHUB_TOKEN=", "GITHUB_TOKEN_FILE=none"}, want: "GITHUB_TOKEN_FILE: open none"},
		{name: "a token in two places", config: good, env: []string{"GITHUB_TOKEN_FILE=none"}, want: "both GITHUB_TOKEN and GITHUB_TOKEN_FILE are set"},
		{name: "no URL for the links", config: good, args: []string{"-url", ""}, want: "-url is missing: commit statuses link to the logs below it"},
		{name: "an invalid URL", config: good, args: []string{"-url", "ci.example.com"}, want: `-url: "ci.example.com" is not an http or https URL`},
		{name: "an unknown user", config: good, args: []string{"-as", "no-such-user"}, want: "-as: user: unknown user no-such-user"},
		{name: "root as the user", config: good, args: []string{"-as", "root"}, want: "-as: root has the same user as root"},
		{name: "an invalid API URL", config: good, args: []string{"-api", "github.com"}, want: `-api: "github.com" is not`},
		{name: "an unknown flag", config: good, args: []string{"-nope"}, want: "flag provided but not defined: -nope"},
		{name: "an argument", config: good, args: []string{"build"}, want: `unexpected argument "build"`},
		{name: "zero parallel builds", config: good, args: []string{"-parallel", "0"}, want: "must be greater than zero"},
		{name: "no git", config: good, env: []string{"PATH=/nowhere"}, want: "git is required"},
		{name: "a database that cannot be opened", config: good, args: []string{"-db", "none/x.db"}, want: "-db: "},
		{name: "a folder that is a file", config: good, args: []string{"-data", "github-ci.yaml"}, want: "-data: "},
		{name: "an invalid address", config: good, args: []string{"-addr", "nowhere:x"}, want: "listen tcp"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &rig{T: t, dir: t.TempDir()}
			r.write("github-ci.yaml", tt.config)
			r.leaveRoot()
			cmd := r.command(slices.Concat([]string{"-addr", "127.0.0.1:0", "-url", "http://ci.example.com"}, tt.args)...)
			cmd.Env = append(cmd.Env, tt.env...)
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatal("err is nil, want an error")
			}
			if !strings.Contains(string(out), tt.want) {
				t.Fatalf("string(out) = %q, want it to contain %q", string(out), tt.want)
			}
			if strings.Contains(string(out), token) {
				t.Fatalf("string(out) = %q, want it not to contain %q", string(out), token)
			}
			if strings.Contains(string(out), ":pass@") {
				t.Fatalf("string(out) = %q, want it not to contain \":pass@\"", string(out))
			}
		})
	}
}

func TestSecretFilesAndLockedDataFolder(t *testing.T) {
	r := newRig(t, "true")
	r.write("secret", hookSecret+"\n")
	r.write("token", token+"\n")
	sha := r.repo.commit("main", "one")
	r.start()
	second := r.command("-addr", "127.0.0.1:0", "-data", "data", "-status=false")
	second.Env = []string{"PATH=" + os.Getenv("PATH"), "GITHUB_WEBHOOK_SECRET_FILE=secret"}
	out, err := second.CombinedOutput()
	if err == nil {
		t.Fatal("err is nil, want an error")
	}
	if !strings.Contains(string(out), filepath.Join("data")+": in use by another process of this program") {
		t.Fatalf("string(out) = %q, want it to contain %q", string(out), filepath.Join("data")+": in use by another process of this program")
	}
	r.push(pushed{after: sha})
	r.untilStatus(sha, "success")
	if got := r.p.logText(); strings.Contains(got, strings.TrimSpace(token)) {
		t.Fatalf("r.p.logText() = %q, want it not to contain %q", got, strings.TrimSpace(token))
	}
}
