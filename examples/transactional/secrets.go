package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// minSecret is the smallest length in bytes of a secret that proves a call. Anybody
// may call as often as they like, so a shorter one could be guessed.
const minSecret = 16

// maxSecrets is the largest size in bytes of a file of secrets.
const maxSecrets = 64 << 10

// readSecrets returns the secrets that prove a sender's calls: those in the variable
// name, or in the file that the variable name_FILE names, one on each line. Each of
// them is accepted. It returns none if neither variable is set. Its errors contain no
// secret.
func readSecrets(getenv func(string) string, name string) ([]webhook.Secret, error) {
	lines, err := secretLines(getenv, name)
	if err != nil {
		return nil, err
	}
	var secrets []webhook.Secret
	for i, line := range lines {
		if len(line) < minSecret {
			return nil, fmt.Errorf("%s: secret %d of %d has fewer than %d characters; create one: openssl rand -hex 32", name, i+1, len(lines), minSecret)
		}
		secrets = append(secrets, webhook.NewSecret(line))
	}
	return secrets, nil
}

// secretLines returns the lines of the variable name, or of the file that the variable
// name_FILE names, without surrounding white space and without empty lines. It returns
// an error if both are set, or if one that is set has only empty lines.
func secretLines(getenv func(string) string, name string) ([]string, error) {
	text, file := getenv(name), getenv(name+"_FILE")
	switch {
	case text != "" && file != "":
		return nil, fmt.Errorf("both %s and %s_FILE are set; set only one", name, name)
	case text == "" && file == "":
		return nil, nil
	case file != "":
		content, err := readSecretFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s_FILE: %w", name, err)
		}
		text, name = content, name+"_FILE: "+file
	}
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%s is empty", name)
	}
	return lines, nil
}

func readSecretFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSecrets+1))
	if len(text) > maxSecrets {
		err = errors.New(name + " has more than 64 KiB: it is not a file of secrets")
	}
	return string(text), err
}

// logSecrets logs how many secrets of a sender are accepted.
func logSecrets(log *slog.Logger, name string, secrets []webhook.Secret) {
	read := log.With("name", name, "live", len(secrets))
	if len(secrets) == 1 && strings.Contains(string(secrets[0].Reveal()), ",") {
		read = read.With("hint", "the comma is part of the secret; to accept several, write each on a line of its own")
	}
	read.Info("secrets are read")
}
