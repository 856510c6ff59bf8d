//go:build !linux

package main

// startRabbitMQ starts a server on Linux only.
func startRabbitMQ() (*rabbitNode, error) { return nil, errNoRabbitMQ }

func (n *rabbitNode) kill() error           { return errNoRabbitMQ }
func (n *rabbitNode) restart() error        { return errNoRabbitMQ }
func (n *rabbitNode) remembers(string) bool { return false }

func (n *rabbitNode) stop() {}
