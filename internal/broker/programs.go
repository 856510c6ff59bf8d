package broker

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
)

// ErrNotInstalled is the error of Start if RabbitMQ is not installed. It says how to
// install it.
var ErrNotInstalled = errors.New("RabbitMQ, which is not installed; get it: apt-get install rabbitmq-server, or brew install rabbitmq")

// programs returns the folder of RabbitMQ's own scripts. Those of Debian in /usr/sbin are
// others: they log to /var/log and accept only root and the user rabbitmq.
func programs() (string, error) {
	for _, folder := range []string{"/usr/lib/rabbitmq/bin", "/opt/homebrew/opt/rabbitmq/sbin", "/usr/local/opt/rabbitmq/sbin"} {
		if _, err := os.Stat(filepath.Join(folder, "rabbitmq-server")); err == nil {
			return folder, nil
		}
	}
	path, err := exec.LookPath("rabbitmq-server")
	if err != nil {
		return "", ErrNotInstalled
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err // the other scripts are beside the script, not beside a link
	}
	return filepath.Dir(path), nil
}
