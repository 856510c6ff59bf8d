package lines

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	gogithub "github.com/google/go-github/v84/github"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

type pushArgs struct {
	Delivery string `json:"delivery" river:"unique"`
	Event    string `json:"event"`
	Body     []byte `json:"body"`
}

func (pushArgs) Kind() string { return "github" }

type pushWorker struct {
	river.WorkerDefaults[pushArgs]
	deploy deployer
}

func (w *pushWorker) Work(ctx context.Context, job *river.Job[pushArgs]) error {
	event, err := gogithub.ParseWebHook(job.Args.Event, job.Args.Body)
	if err != nil {
		return river.JobCancel(err)
	}
	if push, ok := event.(*gogithub.PushEvent); ok && !push.GetDeleted() {
		if branch, ok := strings.CutPrefix(push.GetRef(), "refs/heads/"); ok {
			return w.deploy(ctx, branch, push.GetAfter())
		}
	}
	return nil
}

func serveRiver(ctx context.Context, listener net.Listener, pool *pgxpool.Pool, secret []byte, deploy deployer) error {
	workers := river.NewWorkers()
	river.AddWorker(workers, &pushWorker{deploy: deploy})
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Queues:  map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 8}},
		Workers: workers,
	})
	if err != nil {
		return err
	}
	routes := http.NewServeMux()
	routes.HandleFunc("/hooks/github", func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 25<<20)
		body, err := gogithub.ValidatePayload(r, secret)
		if err != nil {
			http.Error(w, "not verified", http.StatusUnauthorized)
			return
		}
		args := pushArgs{gogithub.DeliveryID(r), gogithub.WebHookType(r), body}
		unique := &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true}}
		if _, err := client.Insert(r.Context(), args, unique); err != nil {
			http.Error(w, "not stored", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
	server := http.Server{Handler: routes, ReadHeaderTimeout: 5 * time.Second}
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	drained := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 8*time.Second)
		defer cancel()
		drained <- errors.Join(server.Shutdown(grace), client.Stop(grace))
	})
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(err, client.Stop(context.WithoutCancel(ctx)))
	}
	return <-drained
}
