package edgetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"golang.org/x/sync/errgroup"

	"github.com/hookhouse/hookhouse/internal/broker"
	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
)

// cluster has three nodes and is shared by the tests, as is engine.Server. Both are nil if one
// of the two is not installed.
var cluster *broker.Cluster

func TestMain(m *testing.M) {
	serveMember()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	code := 1
	switch err := startServers(context.Background()); {
	case err == nil:
		code = m.Run()
	case (errors.Is(err, postgres.ErrNotInstalled) || errors.Is(err, broker.ErrNotInstalled)) && os.Getenv("CI") != "true":
		fmt.Println("left out:", err)
		code = m.Run()
	default:
		fmt.Fprintln(os.Stderr, err)
	}
	if cluster != nil {
		cluster.Stop()
	}
	if engine.Server != nil {
		engine.Server.Stop()
	}
	os.Exit(code)
}

func startServers(ctx context.Context) error {
	s, err := postgres.Start(ctx)
	if err != nil {
		return err
	}
	c, err := broker.Start(ctx, 3)
	if err != nil {
		s.Stop()
		return err
	}
	engine.Server, cluster = s, c
	return nil
}

// urls returns the URLs of the nodes.
func urls(nodes *broker.Cluster) (all []string) {
	for _, n := range nodes.Nodes() {
		all = append(all, n.URL())
	}
	return all
}

// killNodes kills all nodes at once.
func killNodes(nodes *broker.Cluster) error {
	var errs []error
	for _, n := range nodes.Nodes() {
		errs = append(errs, n.Kill())
	}
	return errors.Join(errs...)
}

// restartNodes starts all nodes at once: each waits for the others.
func restartNodes(ctx context.Context, nodes *broker.Cluster) error {
	var all errgroup.Group
	for _, n := range nodes.Nodes() {
		all.Go(func() error { return n.Restart(ctx) })
	}
	return all.Wait()
}

// restartServer starts PostgreSQL again. Another process may have its port for a moment.
func restartServer(ctx context.Context) (err error) {
	for range 20 {
		if err = engine.Server.Restart(ctx); err == nil || !strings.Contains(err.Error(), "has ended") {
			return err
		}
	}
	return err
}

// patience limits a wait for the cluster.
const patience = 5 * time.Minute

// retry calls f until it returns nil: a cluster may have no leader for a while.
func retry(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := f(ctx)
		if err == nil {
			return nil
		}
		timer := time.NewTimer(200 * time.Millisecond)
		select {
		case <-timer.C:
		case <-ctx.Done():
			return err
		}
	}
}

// declare makes a queue with three members.
func declare(ctx context.Context, nodes *broker.Cluster, queue string) error {
	return retry(ctx, func(ctx context.Context) error {
		return withConnection(ctx, nodes, func(conn *amqp.Connection) error { return rabbitmq.Declare(ctx, conn, queue, 1) })
	})
}

// ready returns the number of messages of a queue that no consumer has.
func ready(ctx context.Context, nodes *broker.Cluster, queue string) (n int, err error) {
	err = retry(ctx, func(ctx context.Context) error {
		return withConnection(ctx, nodes, func(conn *amqp.Connection) error {
			ch, err := conn.Channel()
			if err != nil {
				return err
			}
			q, err := ch.QueueDeclarePassive(queue, true, false, false, false, nil)
			n = q.Messages
			return err
		})
	})
	return n, err
}

func withConnection(ctx context.Context, nodes *broker.Cluster, f func(conn *amqp.Connection) error) error {
	conn, err := dialAny(urls(nodes))(ctx)
	if err != nil {
		return err
	}
	defer conn.CloseDeadline(time.Now().Add(time.Second))
	return f(conn)
}
