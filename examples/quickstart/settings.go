package main

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
)

// settings holds the values of the flags.
type settings struct {
	addr, adminAddr, database  string
	demo, once, check, version bool
}

func parseSettings(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.StringVar(&s.addr, "addr", "", "address to listen on (default :8080, with -demo a free port on 127.0.0.1)")
	flags.StringVar(&s.adminAddr, "admin-addr", "", "address for /healthz and the inspector, /inspect/; if empty, -addr serves /healthz")
	flags.StringVar(&s.database, "db", "", "SQLite file or postgres:// URL (default hookhouse.db, with -demo a temporary file)")
	flags.BoolVar(&s.demo, "demo", false, "send itself one signed sample of each sender")
	flags.BoolVar(&s.once, "once", false, "with -demo: exit when the samples are handled")
	flags.BoolVar(&s.check, "check", false, "check the secrets and the database, and exit")
	flags.BoolVar(&s.version, "version", false, "print the version and exit")
	if err := parseFlags(flags, usage, stderr, args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 || s.once && !s.demo || s.check && s.demo {
		return s, errors.New("only flags are accepted, -once only with -demo, and -check only without; see -help")
	}
	if s.database == "" && !s.demo {
		s.database = "hookhouse.db"
	}
	return s, nil
}

// demoDatabase returns the path of a new file and a func that removes it.
func demoDatabase() (string, func(), error) {
	dir, err := os.MkdirTemp("", "quickstart")
	return filepath.Join(dir, "demo.db"), func() { _ = os.RemoveAll(dir) }, err
}
