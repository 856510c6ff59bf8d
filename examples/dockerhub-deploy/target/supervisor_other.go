//go:build !unix

package target

import (
	"context"
	"errors"
	"os"
	"os/exec"
)

const SuperviseArg = "supervise"

func lockFile(context.Context, string) (*os.File, error) {
	return nil, errors.New("rules of the kind exec need a Unix system")
}

func Supervise([]string) {}

func setProcessGroup(*exec.Cmd) {}
