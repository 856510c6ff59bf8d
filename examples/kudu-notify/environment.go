package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// An environment reads secrets and remembers what was wrong with them.
type environment struct {
	getenv func(string) string
	err    error
}

// secret is what NAME holds, or the file that NAME_FILE names, less white space
// at the ends; zero if neither is set.
func (e *environment) secret(name string) webhook.Secret {
	value, file := e.getenv(name), e.getenv(name+"_FILE")
	switch {
	case value != "" && file != "":
		return e.fail(fmt.Errorf("both %s and %s_FILE are set", name, name))
	case file != "":
		text, err := os.ReadFile(file)
		if err != nil {
			return e.fail(fmt.Errorf("%s_FILE: %w", name, err))
		}
		if value = strings.TrimSpace(string(text)); value == "" {
			return e.fail(fmt.Errorf("%s_FILE: %s is empty", name, file))
		}
	}
	return webhook.NewSecret(strings.TrimSpace(value))
}

func (e *environment) fail(err error) webhook.Secret {
	e.err = errors.Join(e.err, err)
	return webhook.Secret{}
}
