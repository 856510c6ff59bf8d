package publishing

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

type postArgs struct {
	URL  string `json:"url"`
	Body []byte `json:"body"`
}

func (postArgs) Kind() string { return "post" }

type postWorker struct {
	river.WorkerDefaults[postArgs]
	client  *http.Client
	secrets map[string]string
}

func (w *postWorker) Work(ctx context.Context, job *river.Job[postArgs]) error {
	signer, err := standardwebhooks.NewWebhook(w.secrets[job.Args.URL])
	if err != nil {
		return err
	}
	id, now := "msg_"+strconv.FormatInt(job.ID, 10), time.Now()
	signature, err := signer.Sign(id, now, job.Args.Body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, job.Args.URL, bytes.NewReader(job.Args.Body))
	if err != nil {
		return river.JobCancel(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(standardwebhooks.HeaderWebhookID, id)
	request.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	request.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	answer, err := w.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("status %d", answer.StatusCode)
	}
	return nil
}

func publishRiver(ctx context.Context, listener net.Listener, pool *pgxpool.Pool, endpoints []endpoint) error {
	secrets := make(map[string]string)
	for _, e := range endpoints {
		secrets[e.URL] = e.Secret
	}
	workers := river.NewWorkers()
	noRedirects := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	river.AddWorker(workers, &postWorker{client: &http.Client{Timeout: 15 * time.Second, CheckRedirect: noRedirects}, secrets: secrets})
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Queues:  map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 64}},
		Workers: workers,
	})
	if err != nil {
		return err
	}
	leave := func(ctx context.Context, text string) error {
		tx, err := pool.Begin(ctx)
		if err != nil {
			return err
		}
		defer tx.Rollback(context.WithoutCancel(ctx))
		if _, err := tx.Exec(ctx, "INSERT INTO comments (text) VALUES ($1)", text); err != nil {
			return err
		}
		body, err := json.Marshal(map[string]string{"text": text})
		if err != nil {
			return err
		}
		for _, e := range endpoints {
			if _, err := client.InsertTx(ctx, tx, postArgs{URL: e.URL, Body: body}, nil); err != nil {
				return err
			}
		}
		return tx.Commit(ctx)
	}
	routes := http.NewServeMux()
	routes.HandleFunc("POST /comments", func(w http.ResponseWriter, r *http.Request) {
		respond(w, leave(r.Context(), r.FormValue("text")))
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
