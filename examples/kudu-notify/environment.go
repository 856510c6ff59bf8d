package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// An environment reads secrets and collects the errors.
type environment struct {
	getenv func(string) string
	err    error
}

// secret reads the variable name, or the file named by the variable name_FILE,
// and trims white space. It returns the zero Secret if neither is set.
func (e *environment) secret(name string) webhook.Secret {
	value, file := e.getenv(name), e.getenv(name+"_FILE")
	switch {
	case value != "" && file != "":
		return e.addError(fmt.Errorf("both %s and %s_FILE are set; set only one", name, name))
	case file != "":
		text, err := os.ReadFile(file)
		if err != nil {
			return e.addError(fmt.Errorf("%s_FILE: %w", name, err))
		}
		if value = strings.TrimSpace(string(text)); value == "" {
			return e.addError(fmt.Errorf("%s_FILE: %s is empty", name, file))
		}
	}
	return webhook.NewSecret(strings.TrimSpace(value))
}

func (e *environment) addError(err error) webhook.Secret {
	e.err = errors.Join(e.err, err)
	return webhook.Secret{}
}
