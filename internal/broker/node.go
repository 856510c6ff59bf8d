package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// startTimeout limits the start of a node. A node that finds its cluster away waits longer
// than one that is alone, and three nodes on a busy machine take minutes.
const startTimeout = 10 * time.Minute

// A Node is a RabbitMQ node. Its files remain until the cluster is stopped.
type Node struct {
	cluster *Cluster
	name    string
	dir     string
	port    int // of AMQP
	dist    int // of the other nodes
	log     record
	process *process
}

func (n *Node) file(name string) string { return filepath.Join(n.dir, name) }

// Name returns the name of the node, such as "hookhouse12345-1@localhost".
func (n *Node) Name() string { return n.name }

// Addr returns the address on which the node accepts AMQP connections.
func (n *Node) Addr() string { return fmt.Sprintf("127.0.0.1:%d", n.port) }

// URL returns the AMQP URL of the node with user guest.
func (n *Node) URL() string { return n.URLAs("guest", "guest", "/") }

// URLAs returns the AMQP URL of the node with a user, a password and a virtual host.
func (n *Node) URLAs(user, password, vhost string) string {
	return fmt.Sprintf("amqp://%s@%s/%s", url.UserPassword(user, password), n.Addr(), url.PathEscape(vhost))
}

// Folder returns the folder with all that the node stores and logs.
func (n *Node) Folder() string { return n.dir }

// PID returns the process id of the node.
func (n *Node) PID() int { return n.process.cmd.Process.Pid }

// Log returns what the node has printed, the last part of it.
func (n *Node) Log() string { return n.log.String() }

// script returns a command that runs one of RabbitMQ's scripts for this node.
func (n *Node) script(ctx context.Context, name string, args ...string) *exec.Cmd {
	return n.command(ctx, filepath.Join(n.cluster.bin, name), args...)
}

// command returns a command that runs a program for this node.
func (n *Node) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.SysProcAttr = n.cluster.root, n.cluster.attr
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + n.cluster.root, // of the cookie
		"LANG=C.UTF-8",
		fmt.Sprint("ERL_EPMD_PORT=", n.cluster.port),
		"ERL_EPMD_ADDRESS=127.0.0.1",
		"RABBITMQ_NODENAME=" + n.name,
		fmt.Sprint("RABBITMQ_DIST_PORT=", n.dist),
		"RABBITMQ_CONF_ENV_FILE=/dev/null", // that of the installation is for its own node
		"RABBITMQ_CONFIG_FILE=" + n.file("rabbitmq.conf"),
		"RABBITMQ_ADVANCED_CONFIG_FILE=" + n.file("advanced.config"),
		"RABBITMQ_MNESIA_BASE=" + n.file("mnesia"),
		"RABBITMQ_LOG_BASE=" + n.file("log"),
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + n.file("plugins"),
		"RABBITMQ_PID_FILE=" + n.file("pid"),
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none",
	}
	return cmd
}

// launch starts the process of the node.
func (n *Node) launch() error {
	cmd := n.script(context.Background(), "rabbitmq-server")
	// The script then runs the server in its own place, so that its process id is the
	// server's. Nothing is detached.
	cmd.Env = append(cmd.Env, "detached=true")
	cmd.Stdout, cmd.Stderr = &n.log, &n.log
	var err error
	n.process, err = start(cmd)
	return err
}

// wait returns when the node answers.
func (n *Node) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := n.answers(ctx)
		if err == nil {
			return nil
		}
		if !n.process.running() {
			return fmt.Errorf("node %s has ended\n%s", n.name, n.log.String())
		}
		if e := pause(ctx, 50*time.Millisecond); e != nil {
			return fmt.Errorf("node %s does not answer: %w\n%s", n.name, errors.Join(err, e), n.log.String())
		}
	}
}

// answers returns nil if the node accepts a connection and offers AMQP.
func (n *Node) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", n.Addr())
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "AMQP\x00\x00\x09\x01"); err != nil {
		return err
	}
	var frame [7]byte // a method on channel 0: Connection.Start
	if _, err := io.ReadFull(conn, frame[:]); err != nil {
		return err
	}
	if frame[0] != 1 || frame[1] != 0 || frame[2] != 0 {
		return fmt.Errorf("%s is not a RabbitMQ node", n.Addr())
	}
	return nil
}

// Kill ends the node at once, as a crash does. Restart starts it again.
func (n *Node) Kill() error { return n.process.kill() }

// Shutdown ends the node in an orderly way. Restart starts it again.
func (n *Node) Shutdown(ctx context.Context) error {
	if err := n.process.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-n.process.ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("node %s does not end: %w\n%s", n.name, ctx.Err(), n.log.String())
	}
}

// Restart starts the node again, with what it stored and on the same ports, and returns when
// it answers. The node must not be running.
func (n *Node) Restart(ctx context.Context) error {
	if err := n.launch(); err != nil {
		return err
	}
	return n.wait(ctx)
}

// Freeze stops the process of the node: it neither answers nor ends. Kernel and connections
// remain.
func (n *Node) Freeze() error { return n.process.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume lets a frozen node go on.
func (n *Node) Resume() error { return n.process.cmd.Process.Signal(syscall.SIGCONT) }

// Ctl runs rabbitmqctl for the node and returns what it prints.
func (n *Node) Ctl(ctx context.Context, args ...string) (string, error) {
	var stderr record
	cmd := n.script(ctx, "rabbitmqctl", append([]string{"--quiet"}, args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("rabbitmqctl %s: %w\n%s%s", strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out), nil
}

// Eval evaluates an Erlang expression on the node and returns its value as text. It takes a
// hundredth of the time of Ctl, which starts an Erlang of its own.
func (n *Node) Eval(ctx context.Context, expression string) (string, error) {
	var stderr record
	cmd := n.command(ctx, "erl_call", "-r", "-address", fmt.Sprint("127.0.0.1:", n.dist), "-e")
	cmd.Stdin, cmd.Stderr = strings.NewReader(expression+"\n"), &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("erl_call: %w\n%s%s", err, out, stderr.String())
	}
	value, ok := strings.CutPrefix(string(out), "{ok, ")
	if !ok {
		return "", fmt.Errorf("%s is not evaluated: %s", expression, out)
	}
	return strings.TrimSuffix(strings.TrimSpace(value), "}"), nil
}

// EvalQueue is Eval of an expression in which Q is a queue.
func (n *Node) EvalQueue(ctx context.Context, queue, expression string) (string, error) {
	return n.Eval(ctx, fmt.Sprintf(`{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"%s">>)), %s`, queue, expression))
}
