package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/examples/github-ci/git"
)

// minBuildSecret is the smallest length in bytes of a secret for builds. A shorter one
// would be hidden where it is not meant.
const minBuildSecret = 8

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// readOwnSecrets reads the program's own secrets.
func (s *settings) readOwnSecrets(getenv func(string) string) (err error) {
	if s.hook, err = readSecrets(getenv, secretName); err != nil {
		return err
	}
	if s.token, err = readSecret(getenv, tokenName); err != nil {
		return err
	}
	if s.guard, err = readGuard(getenv, s.adminAddr); err != nil {
		return err
	}
	switch {
	case len(s.hook) == 0:
		return errors.New("GITHUB_WEBHOOK_SECRET is not set: create one with openssl rand -hex 32 and configure it in GitHub's webhook settings")
	case s.token.IsZero() && s.status:
		return errors.New("GITHUB_TOKEN is not set: it is needed to report commit statuses; set it, or build without statuses with -status=false")
	}
	s.secretFiles = []string{getenv(secretName + "_FILE"), getenv(tokenName + "_FILE"), getenv(inspectName + "_FILE")}
	return nil
}

// readBuildSecret reads the secret of one -secret, which is NAME or NAME=FILE.
func (s *settings) readBuildSecret(getenv func(string) string, text string) error {
	name, file, isFile := strings.Cut(text, "=")
	_, twice := s.buildSecrets[name]
	switch {
	case !variableName.MatchString(name):
		return fmt.Errorf("%q is not the name of a variable", name)
	case name == secretName || name == tokenName || name == inspectName || name == "PATH" || name == "HOME" || name == "TMPDIR" || name == "CI" || strings.HasPrefix(name, "CI_"):
		return fmt.Errorf("%s has another meaning here: choose another name", name)
	case twice:
		return fmt.Errorf("%s is given twice", name)
	case isFile && file == "":
		return fmt.Errorf("%s= has no file", name)
	}
	read := getenv
	if isFile {
		read = func(variable string) string { return map[string]string{name + "_FILE": file}[variable] }
	}
	secret, err := readSecret(read, name)
	switch {
	case err != nil:
		return err
	case secret.IsZero():
		return fmt.Errorf("neither %s nor %s_FILE is set", name, name)
	case len(secret.Reveal()) < minBuildSecret:
		return fmt.Errorf("%s has fewer than %d characters: logs would hide them everywhere", name, minBuildSecret)
	}
	s.buildSecrets[name] = secret
	s.secretFiles = append(s.secretFiles, read(name+"_FILE"))
	return nil
}

// hidden returns everything that logs of builds hide.
func (s *settings) hidden() (all [][]byte) {
	for _, secret := range s.buildSecrets {
		all = append(all, secret.Reveal())
	}
	for _, secret := range slices.Concat(s.hook, s.guard.passwords) {
		all = append(all, secret.Reveal())
	}
	if !s.token.IsZero() {
		all = append(all, s.token.Reveal(), []byte(git.BasicAuth(s.token)))
	}
	return all
}

// secretsOf returns the variables with the secrets of a rule.
func (s *settings) secretsOf(r *rule) (env []string) {
	for _, name := range r.Secrets {
		env = append(env, name+"="+string(s.buildSecrets[name].Reveal()))
	}
	return env
}
