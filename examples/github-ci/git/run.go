package git

import (
	"cmp"
	"context"
	"encoding/base64"
	"io"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/examples/github-ci/jobs"
	"github.com/hookhouse/hookhouse/webhook"
)

// settings are all the settings of git that are not its defaults.
var settings = []string{
	"core.hooksPath=/dev/null",
	"core.fsmonitor=false",
	"submodule.recurse=false",
	"advice.detachedHead=false",
	"fetch.unpackLimit=1", // each fetch makes one pack
	"gc.cruftPacks=false",
	"credential.helper=",
	"http.followRedirects=false",
	"http.lowSpeedLimit=1000",
	"http.lowSpeedTime=60",
}

// A call is how git is run.
type call struct {
	user      jobs.User // zero means the program's own user
	dir, home string
	env       []string // in addition to the fixed one
	log       io.Writer
	stdout    io.Writer // if nil, standard output goes to log
}

// git runs a local git command as the program's own user. The supervisor's umask lets
// builds read what is fetched.
func (b *bare) git(ctx context.Context, stdout io.Writer, args ...string) error {
	return b.run(ctx, call{dir: b.folder, home: "/nonexistent", log: b.log, stdout: stdout}, args...)
}

// gitRemote runs a git command that calls the remote. Only such commands get the token.
func (b *bare) gitRemote(ctx context.Context, c Commit, stdout io.Writer, args ...string) error {
	env := b.networkEnv
	if !c.Token.IsZero() {
		env = slices.Concat(env, []string{
			"GIT_CONFIG_COUNT=1",
			"GIT_CONFIG_KEY_0=http." + c.Remote + ".extraHeader",
			"GIT_CONFIG_VALUE_0=Authorization: Basic " + BasicAuth(c.Token),
		})
	}
	return b.run(ctx, call{dir: b.folder, home: "/nonexistent", env: env, log: b.log, stdout: stdout}, args...)
}

// BasicAuth returns the credentials that are sent to a remote for a token. They are as
// secret as the token.
func BasicAuth(token webhook.Secret) string {
	return base64.StdEncoding.EncodeToString(append([]byte("x-access-token:"), token.Reveal()...))
}

func (s *Store) run(ctx context.Context, c call, args ...string) error {
	all := []string{"git"}
	for _, one := range settings {
		all = append(all, "-c", one)
	}
	env := append([]string{
		"PATH=" + s.pathEnv,
		"HOME=" + c.home,
		"LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_TERMINAL_PROMPT=0",
		"GIT_ALLOW_PROTOCOL=http:https",
	}, c.env...)
	return s.dir.Run(ctx, jobs.Command{User: c.user, Args: append(all, args...), Dir: c.dir, Env: env, Output: c.log, Stdout: c.stdout})
}

// NetworkEnv returns the proxies and certificate authorities of the environment under the
// names that git and libcurl use. A client of net/http reads the same settings.
func NetworkEnv(getenv func(string) string) (env []string) {
	for _, name := range []string{"http_proxy", "https_proxy", "no_proxy"} {
		if value := cmp.Or(getenv(strings.ToUpper(name)), getenv(name)); value != "" {
			env = append(env, name+"="+value)
		}
	}
	if file := cmp.Or(getenv("GIT_SSL_CAINFO"), getenv("SSL_CERT_FILE")); file != "" {
		env = append(env, "GIT_SSL_CAINFO="+file)
	}
	if dir := cmp.Or(getenv("GIT_SSL_CAPATH"), getenv("SSL_CERT_DIR")); dir != "" {
		env = append(env, "GIT_SSL_CAPATH="+dir)
	}
	return env
}
