package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// secrets holds the webhook secrets and the API token.
type secrets struct {
	hook  []webhook.Secret // verify GitHub's signatures; more than one during a rotation
	token webhook.Secret   // authenticates calls to GitHub
}

// readSecrets reads the secrets from the environment; see usage.
func readSecrets(getenv func(string) string, needToken bool) (secrets, error) {
	var s secrets
	hook, hookErr := readSecret(getenv, "GITHUB_WEBHOOK_SECRET")
	token, tokenErr := readSecret(getenv, "GITHUB_TOKEN")
	if err := errors.Join(hookErr, tokenErr); err != nil {
		return s, err
	}
	if hook == "" {
		return s, errors.New("GITHUB_WEBHOOK_SECRET is not set: create one with openssl rand -hex 32 and configure it in GitHub's webhook settings")
	}
	if token == "" && needToken {
		return s, errors.New("GITHUB_TOKEN is not set: it is needed to report commit statuses; set it, or build without statuses with -status=false")
	}
	for item := range strings.SplitSeq(hook, ",") {
		if item == "" || item != strings.TrimSpace(item) {
			return s, errors.New("GITHUB_WEBHOOK_SECRET holds an empty secret, or one surrounded by white space")
		}
		s.hook = append(s.hook, webhook.NewSecret(item))
	}
	s.token = webhook.NewSecret(token)
	return s, nil
}

// readSecret reads the variable name, or the file named by the variable
// name_FILE, without its trailing white space.
func readSecret(getenv func(string) string, name string) (string, error) {
	value, file := getenv(name), getenv(name+"_FILE")
	switch {
	case value != "" && file != "":
		return "", fmt.Errorf("both %s and %s_FILE are set; set only one", name, name)
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
