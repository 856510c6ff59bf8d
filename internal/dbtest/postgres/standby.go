package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
)

// Standby copies the server with pg_basebackup and starts the copy as a standby of it, by
// streaming replication. It returns when the standby answers reads. The name is what
// synchronous_standby_names calls it. The caller must call Stop.
//
// The standby has the settings that the server was started with, then the further ones. They
// hold after its promotion too.
func (s *Server) Standby(ctx context.Context, name string, settings ...string) (*Server, error) {
	c := &Server{bin: s.bin, initial: append(s.initial[:len(s.initial):len(s.initial)], settings...)}
	err := c.copyOf(ctx, s, name)
	if err == nil {
		if err = c.startOnFreePort(ctx); err == nil {
			return c, nil
		}
	}
	c.Stop()
	return nil, err
}

// copyOf makes the cluster of a standby of s.
func (s *Server) copyOf(ctx context.Context, primary *Server, name string) (err error) {
	if s.root, err = os.MkdirTemp(filepath.Dir(primary.root), "hookhouse-postgres-"); err != nil {
		return err
	}
	if s.attr, err = attributes(s.root); err != nil {
		return err
	}
	from := fmt.Sprintf("host=127.0.0.1 port=%d user=hookhouse application_name=%s", primary.port, name)
	backup := exec.CommandContext(ctx, filepath.Join(s.bin, "pg_basebackup"),
		"-d", from, "-D", s.data(), "-R", "-X", "stream", "-c", "fast", "--no-sync")
	backup.Dir, backup.SysProcAttr = s.root, s.attr
	if out, err := backup.CombinedOutput(); err != nil {
		return fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	return nil
}

// Promote makes a standby a primary server and returns when it takes writes.
func (s *Server) Promote(ctx context.Context) error {
	db, err := sql.Open("pgx", s.DSN())
	if err != nil {
		return err
	}
	defer db.Close()
	var promoted bool
	if err := db.QueryRowContext(ctx, "SELECT pg_promote(true, 120)").Scan(&promoted); err != nil {
		return err
	}
	if !promoted {
		return errors.New("the standby was not promoted in two minutes")
	}
	return nil
}

// Freeze stops the server and all its processes where they are, as a machine does that
// hangs: its connections stay open and nothing answers. Thaw lets them go on.
func (s *Server) Freeze() error { return signalAll(s.PID(), syscall.SIGSTOP) }

// Thaw ends a Freeze.
func (s *Server) Thaw() error { return signalAll(s.PID(), syscall.SIGCONT) }

// AwaitStandby returns when a standby of that name is connected to the server, and, once
// synchronous_standby_names is set, when commits wait for it.
func (s *Server) AwaitStandby(ctx context.Context, name string) error {
	db, err := sql.Open("pgx", s.DSN())
	if err != nil {
		return err
	}
	defer db.Close()
	err = wait.Until(ctx, "standby "+name+" is connected", func() bool {
		var n int
		err := db.QueryRowContext(ctx, `SELECT count(*) FROM pg_stat_replication WHERE application_name = $1 AND state = 'streaming'
			AND (sync_state IN ('sync', 'quorum') OR current_setting('synchronous_standby_names') = '')`, name).Scan(&n)
		return err == nil && n > 0
	})
	// The process that makes checkpoints tells the others that commits wait. It may have begun
	// the first checkpoint before it read the settings.
	for range 2 {
		if err == nil {
			_, err = db.ExecContext(ctx, "CHECKPOINT")
		}
	}
	return err
}

// Set changes a setting of the running server, by ALTER SYSTEM, and returns when new sessions
// have it. An empty value is stored as such.
func (s *Server) Set(ctx context.Context, name, value string) error {
	db, err := sql.Open("pgx", s.DSN())
	if err != nil {
		return err
	}
	defer db.Close()
	for _, text := range []string{"ALTER SYSTEM SET " + name + " = '" + strings.ReplaceAll(value, "'", "''") + "'", "SELECT pg_reload_conf()"} {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return wait.Until(ctx, name+" has the new value", func() bool {
		var now string
		err = db.QueryRowContext(ctx, "SELECT current_setting($1)", name).Scan(&now)
		return err == nil && now == value
	})
}

// HostsDSN returns the DSN of whichever server takes writes, of several.
func HostsDSN(servers []*Server, settings ...string) string {
	hosts := make([]string, len(servers))
	for i, s := range servers {
		hosts[i] = fmt.Sprintf("127.0.0.1:%d", s.port)
	}
	return fmt.Sprintf("postgres://hookhouse@%s/postgres?sslmode=disable&target_session_attrs=read-write&%s", strings.Join(hosts, ","), strings.Join(settings, "&"))
}
