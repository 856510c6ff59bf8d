package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// An adminServer serves health and metrics at -admin-addr, apart from the calls of
// senders.
type adminServer struct {
	server   *http.Server
	listener net.Listener
}

// listenAdmin listens on addr. Without an address it returns nil.
func listenAdmin(addr string, routes http.Handler, log *slog.Logger) (*adminServer, error) {
	if addr == "" {
		return nil, nil
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("-admin-addr: %w", err)
	}
	log.Info("health and metrics", "admin", "http://"+listener.Addr().String())
	return &adminServer{newServer(routes, log), listener}, nil
}

// Run serves until ctx ends.
func (a *adminServer) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if a.server.Shutdown(ctx) != nil {
			_ = a.server.Close()
		}
	})()
	if err := a.server.Serve(a.listener); ctx.Err() == nil {
		return err
	}
	return nil
}
