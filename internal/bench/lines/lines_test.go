package lines

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

const (
	secretText = "It's a Secret to Everybody"
	pushBody   = `{"ref":"refs/heads/main","after":"9f3c1d7","deleted":false,"commits":[],"repository":{"full_name":"acme/app"}}`
)

// services are the files, each with what runs it. Nil: it cannot be run here.
var services = []struct {
	file  string
	serve func(t *testing.T) serve
}{
	{"hookhouse.go", func(*testing.T) serve {
		return func(ctx context.Context, l net.Listener, d deployer) error {
			return serveHookhouse(ctx, l, new(webhook.MemInbox), webhook.NewSecret(secretText), d)
		}
	}},
	{"gogithub.go", func(*testing.T) serve {
		return func(ctx context.Context, l net.Listener, d deployer) error {
			return serveGoGitHub(ctx, l, []byte(secretText), d)
		}
	}},
	{"playground.go", func(*testing.T) serve {
		return func(ctx context.Context, l net.Listener, d deployer) error {
			return servePlayground(ctx, l, secretText, d)
		}
	}},
	{"river.go", func(t *testing.T) serve {
		pool := openPool(t)
		if pool == nil {
			return nil
		}
		return func(ctx context.Context, l net.Listener, d deployer) error {
			return serveRiver(ctx, l, pool, []byte(secretText), d)
		}
	}},
}

type serve func(ctx context.Context, l net.Listener, deploy deployer) error

// openPool returns a database with River's tables, or nil where there is none.
func openPool(t *testing.T) *pgxpool.Pool {
	server, err := postgres.Start(t.Context())
	if errors.Is(err, postgres.ErrNotInstalled) && os.Getenv("CI") != "true" {
		fmt.Println("left out:", err)
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	pool, err := pgxpool.New(t.Context(), server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := migrator.Migrate(t.Context(), rivermigrate.DirectionUp, nil); err != nil {
		t.Fatal(err)
	}
	return pool
}

func TestEveryServiceDeploysAGenuinePush(t *testing.T) {
	for _, s := range services {
		t.Run(s.file, func(t *testing.T) {
			serve := s.serve(t)
			if serve == nil {
				return
			}
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			deployed := make(chan string, 1)
			done := make(chan error, 1)
			go func() {
				done <- serve(ctx, listener, func(_ context.Context, branch, commit string) error {
					deployed <- branch + " " + commit
					return nil
				})
			}()
			url := "http://" + listener.Addr().String() + "/hooks/github"
			if got := deliver(t, url, "another"); got != http.StatusUnauthorized {
				t.Errorf("a forged call got %d", got)
			}
			if got := deliver(t, url, secretText); got != http.StatusAccepted {
				t.Errorf("a push got %d", got)
			}
			if got := <-deployed; got != "main 9f3c1d7" {
				t.Errorf("deployed %s", got)
			}
			stop()
			if err := <-done; err != nil {
				t.Errorf("did not end in order: %v", err)
			}
		})
	}
}

func deliver(t *testing.T, url, secret string) int {
	t.Helper()
	sender := webhooktest.GitHub{Secret: webhook.NewSecret(secret)}
	return sender.Deliver(t.Context(), url, "push", []byte(pushBody)).Attempts[0].Status
}

func TestTheREADMECountsTheirLines(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range services {
		row := fmt.Sprintf("(internal/bench/lines/%s) | %d |", s.file, countLines(t, s.file))
		if !strings.Contains(string(readme), row) {
			t.Errorf("the README does not say %q", row)
		}
	}
}

// countLines counts the lines that hold a token, from the first declaration
// that is no import.
func countLines(t *testing.T, file string) int {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, file, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	begin := 0
	for _, d := range tree.Decls {
		if g, ok := d.(*ast.GenDecl); !ok || g.Tok != token.IMPORT {
			begin = files.Position(d.Pos()).Line
			break
		}
	}
	var s scanner.Scanner
	s.Init(files.AddFile(file, -1, len(source)), source, nil, 0)
	lines := make(map[int]bool)
	for {
		at, tok, text := s.Scan()
		if tok == token.EOF {
			return len(lines)
		}
		if line := files.Position(at).Line; line >= begin && (tok != token.SEMICOLON || text != "\n") {
			lines[line] = true
		}
	}
}
