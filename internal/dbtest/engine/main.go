package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
)

// Server is the server that Main started. It is nil if PostgreSQL is not
// installed.
var Server *postgres.Server

// Main runs the tests of a package with a PostgreSQL server and exits. The
// cluster and the temporary folders of the tests are below folder; "" means the
// folder for temporary files. If PostgreSQL is not installed, Main prints that its
// tests are left out; with CI=true in the environment that is a failure.
func Main(m *testing.M, folder string, settings ...string) {
	if folder != "" {
		if err := os.Setenv("TMPDIR", folder); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		settings = append([]string{"max_wal_size=256MB"}, settings...) // memory is scarcer than disk
	}
	err := start(folder, settings)
	switch {
	case err == nil:
	case errors.Is(err, postgres.ErrNotInstalled) && os.Getenv("CI") != "true":
		fmt.Println("left out:", err)
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if Server != nil {
		Server.Stop()
	}
	os.Exit(code)
}

// start starts Server.
func start(folder string, settings []string) (err error) {
	if Server, err = postgres.StartIn(context.Background(), folder, settings...); err != nil {
		return err
	}
	connections, err = newConnections(Server)
	return err
}
