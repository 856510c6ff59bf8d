package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A Cluster is a number of RabbitMQ nodes that know each other. Only the methods that
// return an address are safe for concurrent use.
type Cluster struct {
	bin   string // folder of the scripts
	root  string // holds the folders of the nodes and the cookie
	attr  *syscall.SysProcAttr
	epmd  *process
	port  int // of epmd
	nodes []*Node
}

// Start starts a cluster of n nodes and returns when all of them answer. Each further
// setting is a line of rabbitmq.conf, such as "max_message_size = 65536". The caller must call
// Stop.
func Start(ctx context.Context, n int, settings ...string) (*Cluster, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	// The ports are free when they are chosen. Another process may take one before the
	// server does.
	for range 5 {
		c := &Cluster{bin: bin}
		if err = c.start(ctx, n, settings); err == nil {
			return c, nil
		}
		c.Stop()
		if !strings.Contains(err.Error(), "eaddrinuse") && !strings.Contains(err.Error(), "in use") {
			break
		}
	}
	return nil, err
}

func (c *Cluster) start(ctx context.Context, n int, settings []string) (err error) {
	if c.root, err = os.MkdirTemp("", "hookhouse-rabbitmq-"); err != nil {
		return err
	}
	if c.attr, err = attributes(c.root); err != nil {
		return err
	}
	ports, err := freePorts(1 + 2*n)
	if err != nil {
		return err
	}
	c.port = ports[0]
	for i := range n {
		c.nodes = append(c.nodes, &Node{
			cluster: c, name: fmt.Sprintf("hookhouse%d-%d@localhost", c.port, i+1),
			dir: filepath.Join(c.root, fmt.Sprint("node", i+1)), port: ports[1+i], dist: ports[1+n+i],
		})
	}
	if err := c.write(settings); err != nil {
		return err
	}
	if err := c.startEpmd(); err != nil {
		return err
	}
	for _, node := range c.nodes {
		if err := node.launch(); err != nil {
			return err
		}
	}
	for _, node := range c.nodes {
		if err := node.wait(ctx); err != nil {
			return err
		}
	}
	if n == 1 {
		return nil
	}
	return c.await(ctx)
}

// write makes the folders, the cookie and the settings.
func (c *Cluster) write(settings []string) error {
	lines := []string{
		"log.console = true", "log.console.level = warning", "log.file = false",
		"vm_memory_high_watermark.relative = 0.5", "disk_free_limit.absolute = 10MB",
		"handshake_timeout = 60000", // a client of a busy machine is refused after 10 s as if its password were wrong
	}
	if len(c.nodes) > 1 {
		lines = append(lines, "cluster_formation.peer_discovery_backend = classic_config")
		for i, node := range c.nodes {
			lines = append(lines, fmt.Sprintf("cluster_formation.classic_config.nodes.%d = %s", i+1, node.name))
		}
	}
	lines = append(lines, settings...)
	cookie := filepath.Join(c.root, ".erlang.cookie")
	err := os.WriteFile(cookie, []byte(filepath.Base(c.root)), 0o400)
	own := []string{cookie}
	for _, node := range c.nodes {
		all := append([]string{fmt.Sprintf("listeners.tcp.1 = 127.0.0.1:%d", node.port)}, lines...)
		err = errors.Join(err, os.Mkdir(node.dir, 0o755), os.WriteFile(node.file("rabbitmq.conf"), []byte(strings.Join(all, "\n")+"\n"), 0o644))
		own = append(own, node.dir)
	}
	if c.attr != nil && c.attr.Credential != nil {
		for _, path := range own {
			err = errors.Join(err, os.Chown(path, int(c.attr.Credential.Uid), int(c.attr.Credential.Gid)))
		}
	}
	return err
}

func (c *Cluster) startEpmd() error {
	cmd := exec.Command("epmd", "-port", fmt.Sprint(c.port), "-address", "127.0.0.1")
	cmd.Dir, cmd.SysProcAttr = c.root, c.attr
	var err error
	c.epmd, err = start(cmd)
	return err
}

// running is the number of nodes that a node sees. RabbitMQ 3.10 has the second function only.
const running = `length(case erlang:function_exported(rabbit_nodes, list_running, 0) of
	true -> rabbit_nodes:list_running();
	false -> rabbit_nodes:all_running()
end).`

// await returns when each node sees all others.
func (c *Cluster) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for _, node := range c.nodes {
		for {
			// While the nodes join, a call may have no answer.
			try, stop := context.WithTimeout(ctx, 20*time.Second)
			out, err := node.Eval(try, running)
			stop()
			if err == nil && out == fmt.Sprint(len(c.nodes)) {
				break
			}
			if ctx.Err() != nil {
				return fmt.Errorf("node %s sees %q of %d nodes: %w", node.name, out, len(c.nodes), errors.Join(err, ctx.Err()))
			}
			if err := pause(ctx, 100*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return nil
}

// Node returns node i, from 0.
func (c *Cluster) Node(i int) *Node { return c.nodes[i] }

// Nodes returns the nodes.
func (c *Cluster) Nodes() []*Node { return c.nodes }

// Stop kills all nodes and deletes what they stored.
func (c *Cluster) Stop() {
	for _, node := range c.nodes {
		if node.process.running() {
			_ = node.Kill()
		}
	}
	if c.epmd.running() {
		_ = c.epmd.kill()
	}
	if c.root != "" {
		_ = os.RemoveAll(c.root)
	}
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
