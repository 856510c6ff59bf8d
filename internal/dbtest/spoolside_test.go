package dbtest

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/spool"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// What a receiver process is told by the process that starts it.
var (
	spoolPrimary = flag.String("primary", "", "be a receiver process that spools for the PostgreSQL of this DSN")
	spoolDriver  = flag.String("driver", "", "driver of its local store")
	spoolLocal   = flag.String("local", "", "and its DSN")
)

// receiverProcess receives, stores through a Spool and forwards, until the
// standard input ends. It prints the address that it listens at.
func receiverProcess(primaryDSN, driver, localDSN string) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	primaryDB, err := openPool("pgx", primaryDSN)
	if err != nil {
		return err
	}
	defer primaryDB.Close()
	localDB, err := openPool(driver, localDSN)
	if err != nil {
		return err
	}
	defer localDB.Close()
	local := sqlinbox.New(localDB, sqlinbox.SQLite)
	if err := local.Migrate(ctx); err != nil {
		return err
	}
	s := spool.New(webhook.Store(sqlinbox.New(primaryDB, sqlinbox.PostgreSQL)), local)
	s.PrimaryTimeout, s.Lease = time.Second, time.Second
	source := webhook.Source{Name: "alpha", Verifier: someHMAC, Describe: callOf(false)}
	server := &http.Server{Handler: webhook.NewReceiver(source, s)}
	on, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(on.Addr())
	forwarded := make(chan error, 1)
	go func() { forwarded <- s.Run(ctx) }()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Shutdown(context.Background())
		stop()
	}()
	if err := server.Serve(on); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return errors.Join(<-forwarded, local.Close())
}

// A receiverSide is the receiver process as its parent sees it: one at a time,
// over one local store.
type receiverSide struct {
	primary, driver, local string

	mu    sync.Mutex
	url   string
	cmd   *exec.Cmd
	stdin io.Closer
}

// address is where the process of this moment listens, or did.
func (s *receiverSide) address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

func (s *receiverSide) start(t *testing.T) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-primary", s.primary, "-driver", s.driver, "-local", s.local)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.url, s.cmd, s.stdin = "http://"+strings.TrimSpace(line), cmd, stdin
}

// kill ends the process at once, if there is one.
func (s *receiverSide) kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait() // killed
		s.cmd = nil
	}
}

// stop ends it in order.
func (s *receiverSide) stop(t *testing.T) {
	t.Helper()
	if err := errors.Join(s.stdin.Close(), s.cmd.Wait()); err != nil {
		t.Errorf("receiver process: %v", err)
	}
	s.cmd = nil
}
