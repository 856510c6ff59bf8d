package edgetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/process"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/internal/edgetest/unflushed"
)

// notMounted is the address of a disk that cannot be mounted, with the reason.
const notMounted = "not mounted: "

// runDisk mounts a file system on Folder and takes commands over HTTP. It is a process of its own
// because the test starts programs in folders of the disk.
func (m member) runDisk(ctx context.Context) error {
	d, err := unflushed.Mount(m.Folder)
	if errors.Is(err, unflushed.ErrNotMounted) {
		process.Ready(notMounted + strings.ReplaceAll(err.Error(), "\n", " "))
		return nil
	}
	if err != nil {
		return err
	}
	routes := http.NewServeMux()
	for name, do := range map[string]func(){"flush": d.Flush, "cut": d.Cut, "ignore": d.IgnoreFlushes} {
		routes.HandleFunc("POST /"+name, func(http.ResponseWriter, *http.Request) { do() })
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: routes, ReadHeaderTimeout: time.Minute}
	go server.Serve(listener)
	process.Ready(listener.Addr().String())
	<-ctx.Done()
	unmounted := wait.Until(context.WithoutCancel(ctx), "no program uses the disk", func() bool { return d.Unmount() == nil })
	return errors.Join(server.Close(), unmounted)
}

// A diskProcess is a disk whose process runs.
type diskProcess struct {
	folder  string
	process *process.Process
}

// mountDisk returns a mounted disk, or nil if FUSE is not available, which it prints. It is
// unmounted at the end of the test, after what the test has cleaned up.
func mountDisk(t *testing.T) *diskProcess {
	t.Helper()
	folder, err := os.MkdirTemp("", "hookhouse-disk-") // in none that only root can enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(folder) })
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	d := &diskProcess{folder: folder}
	if d.process, err = process.Start(t.Context(), member{Role: disk, Folder: d.folder, Journal: os.DevNull}, nil); err != nil {
		t.Fatal(err)
	}
	if reason, failed := strings.CutPrefix(d.process.Address, notMounted); failed {
		fmt.Println("left out:", reason)
		return nil
	}
	t.Cleanup(func() {
		if err := d.process.Stop(context.Background()); err != nil {
			t.Error(err)
			_ = syscall.Unmount(d.folder, syscall.MNT_DETACH) // so that the folder can be removed
		}
	})
	return d
}

// do sends a command: flush, cut or ignore.
func (d *diskProcess) do(t *testing.T, command string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+d.process.Address+"/"+command, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status)
	}
}
