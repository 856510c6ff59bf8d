package main

import (
	"errors"
	"fmt"
	"net/url"
	"os/exec"
)

// errNoRabbitMQ is the error of startRabbitMQ if RabbitMQ is not installed.
var errNoRabbitMQ = errors.New("RabbitMQ, which is not installed; get it: apt-get install rabbitmq-server")

// A rabbitNode is a RabbitMQ server of the tests' own.
type rabbitNode struct {
	dir    string // of its files
	port   int    // of AMQP
	start  func(program string, args ...string) *exec.Cmd
	epmd   *exec.Cmd // by which Erlang programs find each other
	server *exec.Cmd
}

// url returns an AMQP URL of the server.
func (n *rabbitNode) url(password, vhost string) string {
	return fmt.Sprintf("amqp://%s@127.0.0.1:%d/%s", url.UserPassword("guest", password), n.port, url.PathEscape(vhost))
}
