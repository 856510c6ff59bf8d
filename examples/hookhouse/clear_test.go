package main

import (
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/examples/hookhouse/service"
)

// A password does not go over http to another machine, unless that is meant.
func TestAPasswordDoesNotGoOverHTTPToAnotherMachine(t *testing.T) {
	for url, readable := range map[string]bool{
		"http://localhost:8080/": false, "http://LOCALHOST/": false, "http://127.0.0.1/x/": false, "http://127.9.9.9/": false, "http://[::1]:8080/": false,
		"http://[::ffff:127.0.0.1]/": false, "https://service.example.com/": false,
		"http://service.example.com/": true, "http://10.0.0.1/": true, "http://0.0.0.0/": true, "http://localhost.example.com/": true, "HTTP://192.168.1.2/": true,
	} {
		if got := service.IsReadable(url); got != readable {
			t.Errorf("%s: %t", url, got)
		}
	}
	const at = "http://none.invalid/debug/hooks/"
	for _, command := range [][]string{{"list"}, {"tail"}, {"forward", "-to", "http://127.0.0.1:1/"}} {
		env := append([]string{"GITHUB_WEBHOOK_SECRET=" + testSecret}, opsEnv...)
		got := hookhouse(t, env, append(command, "-url", at)...)
		if got.code != 2 || !strings.Contains(got.err, "over http others can read the password") || strings.Contains(got.err, opsPassword) {
			t.Errorf("%q: %+v", command, got)
		}
	}
	for _, got := range []result{hookhouse(t, opsEnv, "list", "-url", at, "-allow-http"), hookhouse(t, nil, "list", "-url", at)} {
		if got.code == 2 || !strings.Contains(got.err, "does not answer") {
			t.Errorf("%+v", got)
		}
	}
}
