package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// secrets are what must be known to nobody else.
type secrets struct {
	hook  []webhook.Secret // what GitHub signs with, several while it is rotated
	token webhook.Secret   // what GitHub is called with
}

// readSecrets reads those from the environment; see usage.
func readSecrets(getenv func(string) string, needToken bool) (secrets, error) {
	var s secrets
	hook, hookErr := readSecret(getenv, "GITHUB_WEBHOOK_SECRET")
	token, tokenErr := readSecret(getenv, "GITHUB_TOKEN")
	if err := errors.Join(hookErr, tokenErr); err != nil {
		return s, err
	}
	if hook == "" {
		return s, errors.New("GITHUB_WEBHOOK_SECRET is not set: make one with openssl rand -hex 32 and give GitHub the same")
	}
	if token == "" && needToken {
		return s, errors.New("GITHUB_TOKEN is not set: it reports the commit status; -status=false builds without")
	}
	for item := range strings.SplitSeq(hook, ",") {
		if item == "" || item != strings.TrimSpace(item) {
			return s, errors.New("GITHUB_WEBHOOK_SECRET holds an empty secret, or one with white space around it")
		}
		s.hook = append(s.hook, webhook.NewSecret(item))
	}
	s.token = webhook.NewSecret(token)
	return s, nil
}

// readSecret reads NAME, or the file that NAME_FILE names less its trailing
// white space.
func readSecret(getenv func(string) string, name string) (string, error) {
	value, file := getenv(name), getenv(name+"_FILE")
	switch {
	case value != "" && file != "":
		return "", fmt.Errorf("both %s and %s_FILE are set", name, name)
	case file == "":
		return value, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", name, err)
	}
	if value = strings.TrimRight(string(text), " \t\r\n"); value == "" {
		return "", fmt.Errorf("%s_FILE: %s is empty", name, file)
	}
	return value, nil
}
