package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// rabbitScripts is where Debian has RabbitMQ's own scripts. Those in the PATH accept only root
// and the user rabbitmq.
const rabbitScripts = "/usr/lib/rabbitmq/bin"

// startRabbitMQ starts a server with the user guest and without queues. It ends with this process.
func startRabbitMQ() (*rabbitNode, error) {
	if _, err := os.Stat(filepath.Join(rabbitScripts, "rabbitmq-server")); err != nil {
		return nil, errNoRabbitMQ
	}
	dir, err := os.MkdirTemp("", "hookhouse-rabbitmq")
	if err != nil {
		return nil, err
	}
	as, err := notRoot("rabbitmq", dir)
	if err != nil {
		return nil, err
	}
	var ports [3]int // of AMQP, of other Erlang programs, of epmd
	for i := range ports {
		if ports[i], err = serverPort(); err != nil {
			return nil, err
		}
	}
	config := fmt.Sprintf("listeners.tcp.1 = 127.0.0.1:%d\nlog.console = true\nlog.file = false\ndisk_free_limit.absolute = 10MB\n", ports[0])
	if err := os.WriteFile(filepath.Join(dir, "rabbitmq.conf"), []byte(config), 0o644); err != nil {
		return nil, err
	}
	n := &rabbitNode{dir: dir, port: ports[0]}
	n.start = func(program string, args ...string) *exec.Cmd {
		cmd := exec.Command(program, args...)
		cmd.Dir, cmd.SysProcAttr, cmd.WaitDelay = dir, as, 10*time.Second
		cmd.Env = []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LANG=C.UTF-8",
			fmt.Sprint("ERL_EPMD_PORT=", ports[2]), "ERL_EPMD_ADDRESS=127.0.0.1",
			fmt.Sprintf("RABBITMQ_NODENAME=node%d@localhost", ports[0]), fmt.Sprint("RABBITMQ_DIST_PORT=", ports[1]),
			"RABBITMQ_CONF_ENV_FILE=/dev/null", "RABBITMQ_CONFIG_FILE=" + filepath.Join(dir, "rabbitmq.conf"),
			"RABBITMQ_MNESIA_BASE=" + filepath.Join(dir, "mnesia"), "RABBITMQ_LOG_BASE=" + filepath.Join(dir, "log"),
			"RABBITMQ_ENABLED_PLUGINS_FILE=" + filepath.Join(dir, "plugins"), "RABBITMQ_PID_FILE=" + filepath.Join(dir, "pid"),
			"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+sbwt none +sbwtdcpu none +sbwtdio none", // it does not spin while it waits
			"detached=true", // the script becomes the server, which is not detached
		}
		return cmd
	}
	n.epmd = n.start("epmd", "-port", strconv.Itoa(ports[2]), "-address", "127.0.0.1")
	if err := n.epmd.Start(); err != nil {
		return nil, err
	}
	if err := n.restart(); err != nil {
		n.stop()
		return nil, err
	}
	return n, nil
}

// serverPort returns a free port below those that Linux gives to clients: a client that dials
// such a port while its server is down could connect to itself.
func serverPort() (port int, err error) {
	for range 100 {
		port = 11000 + rand.IntN(20000)
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprint("127.0.0.1:", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, err
}

// restart starts the server, which does not run, with what it has stored, and returns when it
// answers.
func (n *rabbitNode) restart() error {
	log, err := os.Create(filepath.Join(n.dir, "console"))
	if err != nil {
		return err
	}
	defer log.Close()
	n.server = n.start(filepath.Join(rabbitScripts, "rabbitmq-server"))
	n.server.Stdout, n.server.Stderr = log, log
	if err := n.server.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := n.answers()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			said, _ := os.ReadFile(log.Name())
			return fmt.Errorf("RabbitMQ does not answer: %w\n%s", err, said)
		case <-tick.C:
		}
	}
}

// answers returns nil if the server offers AMQP.
func (n *rabbitNode) answers() error {
	conn, err := net.DialTimeout("tcp", fmt.Sprint("127.0.0.1:", n.port), 5*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	var first [1]byte // of Connection.Start
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	_, writeErr := io.WriteString(conn, "AMQP\x00\x00\x09\x01")
	_, readErr := io.ReadFull(conn, first[:])
	return errors.Join(writeErr, readErr)
}

// remembers reports whether the server knows a queue after kill. RabbitMQ 3.10 writes the names of
// queues to their file with a delay of seconds. One that is missing there has no leader
// after a restart, and answers nothing.
func (n *rabbitNode) remembers(queue string) bool {
	files, err := filepath.Glob(filepath.Join(n.dir, "mnesia", "*", "quorum", "*", "names.dets"))
	if err != nil || len(files) != 1 {
		return false
	}
	names, err := os.ReadFile(files[0])
	others := bytes.ReplaceAll(names, []byte("_"+queue+".dead"), nil) // its dead queue
	return err == nil && bytes.Contains(others, []byte("_"+queue))
}

// kill ends the server at once, as a crash does.
func (n *rabbitNode) kill() error {
	err := n.server.Process.Kill()
	_ = n.server.Wait() // it was killed
	return err
}

// stop ends the server and deletes what it has stored.
func (n *rabbitNode) stop() {
	for _, cmd := range []*exec.Cmd{n.server, n.epmd} {
		if cmd != nil && cmd.Process != nil && cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
	_ = os.RemoveAll(n.dir)
}
