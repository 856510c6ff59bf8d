package main

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// minSecret is the smallest length in bytes of a secret that proves a call. Anybody
// may call as often as they like, so a shorter one could be guessed.
const minSecret = 16

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

// logSecrets logs how many secrets of a sender are accepted.
func logSecrets(log *slog.Logger, name string, secrets []webhook.Secret) {
	read := log.With("name", name, "live", len(secrets))
	if len(secrets) == 1 && strings.Contains(string(secrets[0].Reveal()), ",") {
		read = read.With("hint", "the comma is part of the secret; to accept several, write each on a line of its own")
	}
	read.Info("secrets are read")
}
