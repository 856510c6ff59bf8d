package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for _, pair := range pairs {
			if key, value, _ := strings.Cut(pair, "="); key == name {
				return value
			}
		}
		return ""
	}
}

func TestSettings(t *testing.T) {
	key := strings.Repeat("k", minSealKey)
	cfg, err := readConfig([]string{"-allow", "10.0.0.0/8, ::1", "-insecure-http"}, environment(passwordName+"="+secret, sealKeyName+"="+key+"\n"+key+"2"))
	if err != nil {
		t.Fatal(err)
	}
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	if len(cfg.passwords) != 1 || len(cfg.sealKeys) != 2 || cfg.sealKeys[0].Label == cfg.sealKeys[1].Label || !cfg.guard.InsecureHTTP {
		t.Errorf("%+v", cfg)
	}
	if diff := cmp.Diff(want, cfg.guard.Allow, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Errorf("allowed (-want +got):\n%s", diff)
	}
	if cfg, err := readConfig([]string{"-declare", "-amqp", "amqp://host/"}, environment()); err != nil || cfg.broker.queue != name {
		t.Errorf("-declare, which uses no database and no password: %v", err)
	}
	if cfg, err := readConfig([]string{"-worker"}, environment()); err != nil || !cfg.worker {
		t.Errorf("a worker without a password: %v", err)
	}
}

func TestInvalidSettings(t *testing.T) {
	for _, tc := range []struct {
		args, env []string
		says      string
	}{
		{nil, nil, passwordName + " is not set"},
		{[]string{"-web", "-worker"}, nil, "-web and -worker exclude each other"},
		{[]string{"-amqp", "amqp://guest:s3cret@host/"}, nil, "-amqp needs a -db that is a postgres:// URL"},
		{[]string{"-web"}, []string{brokerName + "=amqp://guest:s3cret@host/"}, brokerName + " needs a -db that is a postgres:// URL"},
		{[]string{"-amqp", "https://guest:s3cret@host/"}, nil, "-amqp is not an amqp:// or amqps:// URL"},
		{[]string{"-amqp", "amqp://guest:s3cret%zz@host/"}, nil, "-amqp is not an amqp:// or amqps:// URL"},
		{nil, []string{brokerName + "=https://guest:s3cret@host/"}, brokerName + ": line 1 of 1 is not an amqp:// or amqps:// URL"},
		{[]string{"-amqp", "amqp://host/"}, []string{brokerName + "=amqp://guest:s3cret@host/"}, "both -amqp and " + brokerName + " are set"},
		{[]string{"-db", "postgres://host/x", "-amqp", "amqp://host/", "-queue", ""}, nil, "-queue is empty"},
		{[]string{"-declare"}, nil, "-declare needs the URL of RabbitMQ, in -amqp or " + brokerName},
		{[]string{"-declare", "-check", "-amqp", "amqp://host/"}, nil, "-declare creates the queue and exits"},
		{[]string{"-allow", "10.0.0.0/8,intranet"}, nil, `-allow: "intranet" is no network`},
		{nil, []string{sealKeyName + "=s3cret-and-short"}, sealKeyName + ": key 1 of 1 has fewer than 32 characters"},
		{[]string{"x"}, nil, `unexpected argument "x"`},
	} {
		if _, err := readConfig(tc.args, environment(tc.env...)); err == nil || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q %d: %v, want %q", tc.args, len(tc.env), err, tc.says)
		}
	}
}

// With a key, the database has no secret of a webhook in clear text.
func TestSecretsAreSealed(t *testing.T) {
	dir := t.TempDir()
	p := startWith(t, dir, []string{passwordName + "=" + secret, sealKeyName + "=" + strings.Repeat("k", minSealKey)}, local...)
	g, to := &rig{url: p.url}, newSink(t)
	_, key := g.add(t, to.url+"?token=of-the-url")
	g.leave(t, "text")
	if got := to.next(t, 0); !verifies(t, got, key) {
		t.Error("it does not verify")
	}
	files, err := filepath.Glob(filepath.Join(dir, name+".db*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{key, strings.TrimPrefix(key, "whsec_"), "of-the-url"} {
			if strings.Contains(string(text), part) {
				t.Errorf("%s has %q", file, part)
			}
		}
	}
	p.stop(t, os.Kill)
}
