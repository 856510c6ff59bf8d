package edgetest

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/process"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

// runEdge receives, and passes what it received to RabbitMQ by way of a Spool.
func (m member) runEdge(ctx context.Context) error {
	local, db, err := open(m.Local, 10)
	if err != nil {
		return err
	}
	defer db.Close()
	defer local.Close()
	if err := local.Migrate(ctx); err != nil {
		return err
	}
	publisher := rabbitmq.NewPublisher(dialAny(m.Brokers), m.Queue)
	defer publisher.Close()
	s := spool.New(publisher, local)
	s.Lease = 5 * time.Second
	listener, err := net.Listen("tcp", m.Address)
	if err != nil {
		return err
	}
	routes := http.NewServeMux()
	routes.Handle("/hooks", webhook.NewReceiver(source(), s))
	process.Ready(listener.Addr().String())
	return webhook.Serve(ctx, &http.Server{Handler: routes, ReadHeaderTimeout: time.Minute}, listener, s)
}

// source describes the senders. The header has the id and the ordering key.
func source() webhook.Source {
	return webhook.Source{
		Name:     "edge",
		Verifier: signature(),
		Describe: func(r *http.Request, _ []byte) webhook.Description {
			return webhook.Description{ID: r.Header.Get("X-Delivery"), Type: "edge.entry", OrderingKey: r.Header.Get("X-Key")}
		},
	}
}

func signature() *webhook.HMAC {
	return &webhook.HMAC{
		Header: "X-Signature",
		Keys:   []webhook.Key{{Label: "test", Secret: webhook.NewSecret("a secret of these tests")}},
	}
}
