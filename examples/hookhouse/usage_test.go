package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUsageMistakes(t *testing.T) {
	r := newRig(t)
	const url = "http://127.0.0.1:1/"
	for _, tt := range []struct {
		name string
		env  []string
		args []string
		says string
	}{
		{"no command", nil, nil, "no command; see hookhouse -help"},
		{"an unknown command", nil, []string{"lst"}, `unknown command "lst"`},
		{"help of an unknown command", nil, []string{"help", "lst"}, `unknown command "lst"`},
		{"an unknown flag", nil, []string{"-x"}, "flag provided but not defined: -x; see hookhouse -help"},
		{"a flag alone", nil, []string{"-db", "x"}, "no command"},
		{"an unknown flag of a command", nil, []string{"list", "-body"}, "list: flag provided but not defined: -body; see hookhouse list -help"},
		{"an argument too many", nil, []string{"list", "dead"}, `unexpected argument "dead"`},
		{"no database", nil, []string{"list"}, "no database: set -db FILE, or HOOKHOUSE_DB"},
		{"the database twice", []string{"HOOKHOUSE_DB=a", "HOOKHOUSE_DB_FILE=b"}, []string{"list"}, "both HOOKHOUSE_DB and HOOKHOUSE_DB_FILE"},
		{"a file of the database's URL that is missing", []string{"HOOKHOUSE_DB_FILE=none"}, []string{"list"}, "HOOKHOUSE_DB_FILE: open none: no such file"},
		{"an unknown state", nil, []string{"list", "-state", "dead,gone"}, `-state "gone" is none of waiting, blocked, `},
		{"a time that is none", nil, []string{"list", "-since", "yesterday"}, `-since "yesterday" is not a time: write 2h`},
		{"times the wrong way round", nil, []string{"list", "-since", "1h", "-until", "2h"}, "-since is not before -until"},
		{"a negative limit", nil, []string{"list", "-limit", "-1"}, "-limit must not be negative"},
		{"show of nothing", nil, []string{"show"}, "needs the UID of a delivery"},
		{"show of two", nil, []string{"show", "a", "b"}, "one UID at a time"},
		{"a UID twice", nil, []string{"show", "a", "-uid", "b"}, "a UID is given twice"},
		{"replay of everything", nil, []string{"replay", "-yes"}, "needs a UID, or a filter"},
		{"discard of everything", nil, []string{"discard", "-yes"}, "needs a UID, or a filter"},
		{"replay of what is not finished", nil, []string{"replay", "-state", "waiting"}, "-state waiting: not possible for a delivery that is waiting"},
		{"bury of what is claimed", nil, []string{"bury", "-state", "claimed"}, "-state claimed: not possible"},
		{"release of what is dead", nil, []string{"release", "-state", "dead"}, "-state dead: not possible"},
		{"a rate that is too slow", nil, []string{"replay", "-state", "dead", "-every", "2h"}, "-every must be from 0s to 1h"},
		{"give-up of everything", nil, []string{"give-up", "-yes"}, "needs a UID, or a filter"},
		{"give-up of everything and a filter", nil, []string{"give-up", "-all", "-key", "x"}, "-all excludes filters"},
		{"give-up of everything and a UID", nil, []string{"give-up", "-all", "x"}, `unexpected argument "x"`},
		{"give-up of what is claimed", nil, []string{"give-up", "-state", "claimed"}, "-state claimed: not possible"},
		{"give-up as done", nil, []string{"give-up", "x", "-as", "done"}, `-as must be dead or ignored, not "done"`},
		{"give-up of the newest", nil, []string{"give-up", "-key", "x", "-limit", "1"}, "flag provided but not defined: -limit"},
		{"release-key of nothing", nil, []string{"release-key", "-source", "github"}, "needs an ordering key"},
		{"release-key of any source", nil, []string{"release-key", "x"}, "needs -source, such as github"},
		{"release-key of two", nil, []string{"release-key", "x", "y"}, "one ordering key at a time"},
		{"release-key twice", nil, []string{"release-key", "x", "-key", "y"}, "an ordering key is given twice"},
		{"release-key with a reason", nil, []string{"release-key", "x", "-why", "b"}, "flag provided but not defined: -why"},
		{"release with a reason", nil, []string{"release", "a", "-why", "b"}, "flag provided but not defined: -why"},
		{"pause of nothing", nil, []string{"pause"}, "needs a type, or -all"},
		{"pause of one and all", nil, []string{"pause", "github.push", "-all"}, "a type or -all, not both"},
		{"a tail that looks all the time", nil, []string{"tail", "-interval", "1ms"}, "-interval must be at least 100ms"},
		{"a tail that begins with all", nil, []string{"tail", "-limit", "5000"}, "-limit must be at most 1000"},
		{"send of nothing", nil, []string{"send", "github"}, "needs a sender and a URL"},
		{"an unknown sender", nil, []string{"send", "gitlab", url}, `unknown sender "gitlab": want dockerhub, github, jobserv, kudu`},
		{"an unknown sample", nil, []string{"send", "kudu", "-sample", "push", url}, "kudu has no sample \"push\": want deployment, deployment-failed, job"},
		{"a body and a sample", nil, []string{"send", "kudu", "-sample", "job", "-body", "x", url}, "-body excludes -sample"},
		{"a body without an event", nil, []string{"send", "github", "-body", "x", url}, "-body needs -event"},
		{"an event without a body", nil, []string{"send", "github", "-event", "push", url}, "-event is for -body"},
		{"a flag of another sender", nil, []string{"send", "kudu", "-guid", "x", url}, "are for github"},
		{"a burst of another sender", nil, []string{"send", "kudu", "-calls", "2", url}, "-calls is for dockerhub"},
		{"too many calls", nil, []string{"send", "dockerhub", "-calls", "21", url}, "-calls must be from 1 to 20"},
		{"no secret", nil, []string{"send", "github", url}, "no secret: set GITHUB_WEBHOOK_SECRET or GITHUB_WEBHOOK_SECRET_FILE, or -secret-file"},
		{"a secret that is white space", []string{"JOBSERV_WEBHOOK_SECRET= "}, []string{"send", "jobserv", url}, "JOBSERV_WEBHOOK_SECRET is empty"},
		{"a file of secrets that is missing", nil, []string{"send", "github", "-secret-file", "none", url}, "-secret-file: open none: no such file"},
		{"a file of the variable that is missing", []string{"GITHUB_WEBHOOK_SECRET_FILE=none"}, []string{"send", "github", url}, "GITHUB_WEBHOOK_SECRET_FILE: open none: no such file"},
		{"a secret twice", []string{"GITHUB_WEBHOOK_SECRET=a", "GITHUB_WEBHOOK_SECRET_FILE=b"}, []string{"send", "github", url}, "both GITHUB_WEBHOOK_SECRET and"},
		{"no token", nil, []string{"send", "kudu", url + "{token}"}, "there is no token: set KUDU_WEBHOOK_TOKEN"},
		{"a token that has no place", nil, []string{"send", "dockerhub", "-secret-file", "x", url}, "-secret-file is not used: write {token}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := tt.args
			if len(args) > 0 && !strings.HasPrefix(tt.name, "no database") && !strings.Contains(tt.name, "the database") && args[0] != "send" && args[0] != "help" && args[0] != "lst" && args[0][0] != '-' {
				args = append(args, "-db", r.database)
			}
			got := hookhouse(t, tt.env, args...)
			if got.code != exitUsage || got.out != "" || !strings.Contains(got.err, tt.says) || strings.Count(got.err, "\n") != 1 {
				t.Errorf("exit %d, want 2 and %q:\n%s%s", got.code, tt.says, got.out, got.err)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	all := succeed(t, "-help")
	for _, c := range commands() {
		if !strings.Contains(all, "\n    "+c.name+" ") {
			t.Errorf("-help has no %s", c.name)
		}
		help := succeed(t, c.name, "-help")
		if other := succeed(t, "help", c.name); other != help {
			t.Errorf("help %s prints %q, want what %[1]s -help prints", c.name, other)
		}
		for _, e := range c.examples {
			if !strings.Contains(help, "    "+e+"\n") {
				t.Errorf("%s -help has no example %q", c.name, e)
			}
		}
		if len(c.examples) == 0 || strings.Contains(help, "%!") {
			t.Errorf("%s -help:\n%s", c.name, help)
		}
	}
	if out := succeed(t, "-version"); !strings.HasPrefix(out, "hookhouse ") {
		t.Errorf("-version prints %q", out)
	}
}

func TestDatabasesThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, tt := range []struct{ name, db, says string }{
		{"no file", filepath.Join(dir, "none.db"), "none.db\" does not exist; hookhouse creates no database"},
		{"a folder", dir, "is not a regular file"},
		{"an empty file", file("empty.db", ""), "the database has no tables of Hookhouse"},
		{"another file", file("text.db", strings.Repeat("no database ", 1000)), "file is not a database"},
		{"no server", "postgres://jane:pass-of-jane@127.0.0.1:1/hooks?connect_timeout=5", "connection refused"},
		{"no URL", "postgres://jane:pass-of-jane@[::1/hooks", "cannot parse"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, args := range [][]string{{"list"}, {"pause", "-all"}, {"-check"}} {
				got := hookhouse(t, []string{"HOOKHOUSE_DB=" + tt.db}, args...)
				if got.code != exitFailed || !strings.Contains(got.err, tt.says) || got.out != "" {
					t.Errorf("%q: exit %d, want 1 and %q:\n%s%s", args, got.code, tt.says, got.out, got.err)
				}
				if strings.Contains(got.err, "pass-of-jane") {
					t.Errorf("%q: the password is printed: %s", args, got.err)
				}
			}
		})
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("files were created: %v, %v", left, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "empty.db")); err != nil || info.Size() != 0 {
		t.Errorf("the empty file was changed: %v, %v", info, err)
	}
}

func TestSchemasOfOtherVersions(t *testing.T) { onEachDatabase(t, testSchemasOfOtherVersions) }

func testSchemasOfOtherVersions(t *testing.T, r *rig) {
	for version, says := range map[int][]string{
		99: {"schema is newer than this program: it has version 99, known is "},
		2:  {"it has version 2, needed is ", "hookhouse changes no tables: start the program of this database"},
	} {
		if _, err := r.db.Exec(fmt.Sprint("UPDATE hookhouse_schema SET version = ", version)); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"list"}, {"pause", "-all"}, {"-check"}} {
			got := hookhouse(t, []string{"HOOKHOUSE_DB=" + r.database}, args...)
			for _, want := range says {
				if got.code != exitFailed || !strings.Contains(got.err, want) || got.out != "" {
					t.Errorf("version %d, %q: exit %d, want 1 and %q:\n%s%s", version, args, got.code, want, got.out, got.err)
				}
			}
		}
	}
}

func TestDatabaseByEnvironment(t *testing.T) { onEachDatabase(t, testDatabaseByEnvironment) }

func testDatabaseByEnvironment(t *testing.T, r *rig) {
	name := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(name, []byte(r.database+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, env := range []string{"HOOKHOUSE_DB=" + r.database, "HOOKHOUSE_DB_FILE=" + name} {
		if got := hookhouse(t, []string{env}, "-check"); got.code != 0 || got.out != "the database can store deliveries\n" {
			t.Errorf("%s: %+v", env, got)
		}
	}
}
