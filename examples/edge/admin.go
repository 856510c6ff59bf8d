package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/webhook/inspect"
)

// An adminServer serves /healthz, the inspector, and what else is for operators, at
// -admin-addr, apart from the calls of senders.
type adminServer struct {
	server   *http.Server
	listener net.Listener
}

// listenAdmin listens on addr, and adds the inspector to the routes. Without an address it
// returns nil, and the inspector keeps no calls.
func listenAdmin(addr string, routes *http.ServeMux, inspector *inspect.Inspector, log *slog.Logger) (*adminServer, error) {
	if addr == "" {
		inspector.Calls = -1 // nobody could see them
		return nil, nil
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("-admin-addr: %w", err)
	}
	routes.Handle(inspectPath, inspector)
	server := newServer(routes, log)
	server.RegisterOnShutdown(inspector.Close) // live lists do not delay the end
	admin := &adminServer{server, listener}
	log.Info("listening", "admin", admin.url())
	log.Info("the inspector shows deliveries", "url", admin.url()+inspectPath)
	return admin, nil
}

func (a *adminServer) url() string { return "http://" + a.listener.Addr().String() }

// Run serves until ctx ends, and then gives requests in progress a second.
func (a *adminServer) Run(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- a.server.Serve(a.listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if a.server.Shutdown(ctx) != nil {
		_ = a.server.Close()
	}
	return nil
}
