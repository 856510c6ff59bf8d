package env

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
)

// A Report is a line that the process of a server prints.
type Report struct {
	Addr   string        // in the first line
	CPU    time.Duration // processor time used so far, in the line for each one that it reads
	Stored int           // in the last line, by servers that store
}

// Serve is the process of a server, for a [Child]: it serves h until in ends.
func Serve(h http.Handler, in io.Reader, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(listener) }()
	lines := json.NewEncoder(out)
	err = lines.Encode(Report{Addr: listener.Addr().String()})
	for asked := bufio.NewScanner(in); err == nil && asked.Scan(); {
		err = lines.Encode(Report{CPU: pace.ProcessTime()})
	}
	if err = errors.Join(err, srv.Shutdown(context.Background())); err != nil {
		return err
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
