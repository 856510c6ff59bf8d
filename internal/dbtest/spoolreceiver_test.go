package dbtest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	databases "github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/process"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/spool"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A receiverConfig configures a receiver process.
type receiverConfig struct{ Primary, Local databases.Store }

// run receives, stores through a Spool and forwards, until ctx ends.
func (c receiverConfig) run(ctx context.Context) error {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	primaryDB, err := c.Primary.Open()
	if err != nil {
		return err
	}
	defer primaryDB.Close()
	primaryDB.SetMaxOpenConns(12)
	primaryDB.SetMaxIdleConns(12)
	localDB, err := c.Local.Open()
	if err != nil {
		return err
	}
	defer localDB.Close()
	local := sqlinbox.New(localDB, c.Local.Dialect())
	if err := local.Migrate(ctx); err != nil {
		return err
	}
	s := spool.New(webhook.Store(sqlinbox.New(primaryDB, c.Primary.Dialect())), local)
	s.PrimaryTimeout, s.Lease = time.Second, time.Second
	source := webhook.Source{Name: "alpha", Verifier: someHMAC, Describe: describe(false)}
	server := &http.Server{Handler: webhook.NewReceiver(source, s)}
	on, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	// What is in flight when ctx ends is still forwarded.
	forwarding, stopForwarding := context.WithCancel(context.WithoutCancel(ctx))
	forwarded := make(chan error, 1)
	go func() { forwarded <- s.Run(forwarding) }()
	go func() {
		<-ctx.Done()
		_ = server.Shutdown(context.Background())
		stopForwarding()
	}()
	process.Ready(on.Addr().String())
	if err := server.Serve(on); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return errors.Join(<-forwarded, local.Close())
}

// A spoolReceiver is the receiver process as its parent sees it: one at a time,
// over one local store.
type spoolReceiver struct {
	config  receiverConfig
	process *process.Process // nil while none runs

	mu      sync.Mutex
	address string
}

// url is where the latest process listens, or did.
func (r *spoolReceiver) url() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return "http://" + r.address
}

func (r *spoolReceiver) start(t *testing.T) {
	t.Helper()
	p, err := process.Start(t.Context(), r.config, nil)
	must(t, err)
	r.process = p
	r.mu.Lock()
	defer r.mu.Unlock()
	r.address = p.Address
}

// kill ends the process at once, if one runs.
func (r *spoolReceiver) kill() {
	if r.process != nil {
		r.process.Kill()
		r.process = nil
	}
}

// stop lets the process end by itself.
func (r *spoolReceiver) stop(t *testing.T) {
	t.Helper()
	wantNil(t, r.process.Stop(t.Context()))
	r.process = nil
}
