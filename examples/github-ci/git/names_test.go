package git

import (
	"net/url"
	"testing"
)

func TestServerAndIsSameServer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		api, remote, server string
		same                bool
	}{
		{"https://api.github.com", "https://github.com/acme/app.git", "https://github.com", true},
		{"https://api.acme.ghe.com", "https://acme.ghe.com/acme/app.git", "https://acme.ghe.com", true},
		{"https://api.acme.ghe.com", "https://other.ghe.com/acme/app.git", "https://acme.ghe.com", false},
		{"https://github.example.com/api/v3", "https://github.example.com/acme/app.git", "https://github.example.com", true},
		{"https://api.github.example.com:8443/", "https://github.example.com:8443/acme/app.git", "https://github.example.com:8443", true},
		{"https://api.github.example.com:8443/", "https://github.example.com/acme/app.git", "https://github.example.com:8443", false},
		{"https://api.github.com", "http://github.com/acme/app.git", "https://github.com", false},
		{"https://api.github.com", "https://github.com.evil.example/acme/app.git", "https://github.com", false},
		{"https://api.github.com", "https://evilgithub.com/acme/app.git", "https://github.com", false},
		{"https://api.github.com", "https://gist.github.com/app.git", "https://github.com", false},
		{"http://127.0.0.1:80/api/v3", "http://127.0.0.1:80/git/acme/app.git", "http://127.0.0.1:80", true},
		{"https://api.github.com", "://", "https://github.com", false},
	} {
		api, err := url.Parse(tt.api)
		if err != nil {
			t.Fatal(err)
		}
		if got := Server(api).String(); got != tt.server {
			t.Errorf("Server(%s) = %s, want %s", tt.api, got, tt.server)
		}
		if got := IsSameServer(api, tt.remote); got != tt.same {
			t.Errorf("IsSameServer(%s, %s) = %t, want %t", tt.api, tt.remote, got, tt.same)
		}
	}
}

// The names in the Store are digests, which differ for a branch and a tag of one name, and
// for the two object formats of a remote.
func TestNamesInTheStore(t *testing.T) {
	t.Parallel()
	s := &Store{folder: "/data/git"}
	seen := make(map[string]bool)
	for _, name := range []string{
		refOf("refs/heads/x"), refOf("refs/tags/x"), refOf("refs/heads/../../x"),
		s.pathOf("https://github.com/acme/app.git", "0123456789012345678901234567890123456789"),
		s.pathOf("https://github.com/acme/app.git", "0123456789012345678901234567890123456789012345678901234567890123"),
		s.pathOf("https://github.com/acme/other.git", "0123456789012345678901234567890123456789"),
	} {
		if seen[name] || len(name) > 50 {
			t.Errorf("%q is used twice, or is no digest", name)
		}
		seen[name] = true
	}
}
