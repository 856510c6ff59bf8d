package main

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

// nobody is a URL at which no RabbitMQ answers: of a port that servers do not have.
const nobody = "amqp://guest:pa55word@127.0.0.1:1/"

func TestInvalidStart(t *testing.T) {
	broker, database, hook := brokerName+"="+nobody, databaseName+"=postgres://hookhouse:pa55word@127.0.0.1:1/x", "GITHUB_WEBHOOK_SECRET="+secret
	for _, tt := range []struct {
		name string
		env  []string
		args []string
		says string
	}{
		{"no part", nil, nil, "no part is named: add -edge, -relay or -work"},
		{"an edge without RabbitMQ", []string{hook}, []string{"-edge"}, brokerName + " is not set"},
		{"a relay without RabbitMQ", []string{database}, []string{"-relay"}, brokerName + " is not set"},
		{"a relay without a database", []string{broker}, []string{"-relay"}, databaseName + " is not set"},
		{"a worker without a database", nil, []string{"-work"}, databaseName + " is not set"},
		{"an edge without a sender", []string{broker}, []string{"-edge"}, "no sender has a secret"},
		{"a short secret", []string{broker, "KUDU_WEBHOOK_TOKEN=pa55word"}, []string{"-edge"}, "KUDU_WEBHOOK_TOKEN: secret 1 of 1 has fewer than 16 characters"},
		{"a file that is missing", []string{brokerName + "_FILE=/nowhere", hook}, []string{"-edge"}, brokerName + "_FILE: open /nowhere"},
		{"another URL than of RabbitMQ", []string{brokerName + "=https://guest:pa55word@host", hook}, []string{"-edge"}, brokerName + ": line 1 of 1 is not an amqp:// or amqps:// URL"},
		{"a URL that is damaged", []string{broker + "\namqp://guest:pa55word%zz@host", hook}, []string{"-edge"}, brokerName + ": line 2 of 2 is not"},
		{"another database than PostgreSQL", []string{databaseName + "=mysql://pa55word@host"}, []string{"-work"}, databaseName + " is not one postgres:// URL"},
		{"a database whose URL is damaged", []string{databaseName + "=postgres://guest:pa55word@host:port/x"}, []string{"-work"}, databaseName + ": "},
		{"a database that is away", []string{database}, []string{"-work"}, databaseName + ": "},
		{"a check of RabbitMQ that is away", []string{broker, hook}, []string{"-edge", "-check"}, brokerName + ": "},
		{"queues in RabbitMQ that is away", []string{broker}, []string{"-declare"}, brokerName + ": "},
		{"queues and a part", []string{broker, hook}, []string{"-declare", "-edge"}, "-declare creates the queues and exits"},
		{"no queue", []string{broker}, []string{"-declare", "-queue", ""}, "-queue is empty"},
		{"no partition", []string{broker}, []string{"-declare", "-partitions", "0"}, "-partitions: 0 is not between 1 and 256"},
		{"a local file in a missing folder", []string{broker, hook}, []string{"-edge", "-local", "nowhere/x.db"}, "-local: "},
		{"a local file that is none", []string{broker, hook}, []string{"-edge", "-local", "postgres://host/x"}, "-local is a file of this machine"},
		{"an unknown flag", nil, []string{"-x"}, "not defined: -x"},
		{"an argument", nil, []string{"-edge", "x"}, "unexpected argument"},
		{"an invalid address", []string{broker, hook}, []string{"-edge", "-addr", "nowhere"}, "nowhere"},
		{"an invalid admin address", []string{broker, hook}, []string{"-edge", "-admin-addr", "nowhere"}, "-admin-addr: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := execute(t, tt.env, tt.args...)
			if err == nil || !strings.Contains(out, tt.says) {
				t.Errorf("%v, output %s, want an error with %q", err, out, tt.says)
			}
			if strings.Contains(out, "pa55word") || strings.Contains(out, secret) {
				t.Errorf("the output shows a secret: %s", out)
			}
		})
	}
}

func TestHelpAndVersion(t *testing.T) {
	for arg, want := range map[string]string{"-help": brokerName + "_FILE", "-version": "edge "} {
		out, err := execute(t, nil, arg)
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%s: %v, %s, want %q", arg, err, out, want)
		}
	}
}

// What RabbitMQ or PostgreSQL refuses is said in one line when a part starts, and the part ends.
func TestWrongSettingIsSaidInOneLine(t *testing.T) {
	if rabbit == nil {
		return
	}
	t.Parallel()
	c := newChain(t)
	conn, err := amqp.Dial(rabbit.url("guest", "/"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"classic", "classic.dead"} {
		if _, err := ch.QueueDeclare(name, true, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
	}
	queue := []string{"-queue", c.queue, "-partitions", "2"}
	for _, tt := range []struct {
		name, broker, database string
		args, says             []string
	}{
		{"a wrong password", rabbit.url("wr0ng", "/"), "", queue, []string{brokerName + ": ", "username or password not allowed"}},
		{"no virtual host", rabbit.url("guest", "nowhere"), "", queue, []string{brokerName + ": ", "nowhere"}},
		{"no queue", "", "", []string{"-queue", "nowhere"}, []string{`-queue: `, `no such queue: "nowhere"`, "edge -declare -queue nowhere -partitions 1"}},
		{"another number of partitions", "", "", []string{"-queue", c.queue, "-partitions", "3"}, []string{`no such queue: "` + c.queue + `.1-of-3"`}},
		{"a queue that is not safe", "", "", []string{"-queue", "classic"}, []string{`-queue: `, `queue "classic": x-queue-type is`, "single-active-consumer"}},
		{"no database", "", strings.Replace(c.env[1], c.queue, "nowhere", 1), queue, []string{databaseName + ": ", `"nowhere" does not exist`}},
		{"no role", "", strings.Replace(c.env[1], "hookhouse@", "nobody:wr0ng@", 1), queue, []string{databaseName + ": ", "nobody"}},
	} {
		for _, part := range []string{"-edge", "-relay", "-work"} {
			if part == "-edge" && tt.database != "" || part == "-work" && tt.database == "" {
				continue // it does not use what is wrong
			}
			for _, more := range [][]string{nil, {"-check"}} {
				env := slices.Clone(c.env)
				if tt.broker != "" {
					env = append(env, brokerName+"="+tt.broker)
				}
				if tt.database != "" {
					env = append(env, tt.database)
				}
				args := slices.Concat([]string{part, "-addr", "127.0.0.1:0"}, tt.args, more)
				t.Run(tt.name+part+strings.Join(more, ""), func(t *testing.T) {
					t.Parallel()
					out, err := execute(t, env, args...)
					last := out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:]
					if err == nil || !strings.HasPrefix(last, "edge: ") {
						t.Errorf("%q: %v, the last line is %q", args, err, last)
					}
					for _, want := range tt.says {
						if !strings.Contains(last, want) {
							t.Errorf("%q: the last line is %q, want it to contain %q", args, last, want)
						}
					}
					if strings.Contains(out, "wr0ng") {
						t.Errorf("%q: the output shows the password: %s", args, out)
					}
				})
			}
		}
	}
	if out, err := execute(t, c.env, append([]string{"-edge", "-relay", "-work", "-check"}, queue...)...); err != nil || !strings.Contains(out, "are fine") {
		t.Errorf("-check: %v: %s", err, out)
	}
	if out, err := execute(t, c.env, "-declare", "-queue", "classic"); err == nil || !strings.Contains(out, `queue "classic.dead" exists`) {
		t.Errorf("-declare: %v: %s", err, out)
	}
}

// requireStatus waits until a URL is answered with a status.
func requireStatus(t *testing.T, url string, want int) {
	t.Helper()
	eventually(t, url+" with status "+http.StatusText(want), func() bool {
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode == want
	})
}

// body returns what a URL is answered with.
func body(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// startAdmin starts an edge with -admin-addr, without RabbitMQ.
func startAdmin(t *testing.T, addr string, env ...string) adminStart {
	t.Helper()
	env = append(env, brokerName+"="+nobody, "GITHUB_WEBHOOK_SECRET="+secret)
	p := start(t, t.TempDir(), env, func(string) {}, "-edge", "-addr", "127.0.0.1:0", "-admin-addr", addr)
	return adminStart{p.admin + inspectPath, p.url + "/hooks/github", func() { p.stop(t) }}
}

// refuse runs a start that fails.
func refuse(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	return execute(t, append(env, brokerName+"="+nobody, "GITHUB_WEBHOOK_SECRET="+secret), append(args, "-edge")...)
}

// The local file is private, and a wrong path is logged without what may be a token.
func TestLocalFileIsPrivateAndWrongPathIsLogged(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, []string{brokerName + "=" + nobody, "DOCKERHUB_WEBHOOK_TOKEN=" + secret}, func(string) {}, "-edge", "-addr", "127.0.0.1:0")
	for path, want := range map[string]int{"/healthz": 200, "/hooks/other": 404, "/hooks/github/" + url.PathEscape(secret): 404} {
		requireStatus(t, p.url+path, want)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 {
		t.Errorf("%v %v", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v, want 0600", f.Name(), info.Mode(), err)
		}
	}
	p.stop(t)
	log := p.logged()
	if !strings.Contains(log, "path=/hooks/other ") || !strings.Contains(log, "RabbitMQ is away") || strings.Contains(log, secret) || strings.Contains(log, "pa55word") {
		t.Errorf("the log is\n%s", log)
	}
}
