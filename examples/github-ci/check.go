package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/hookhouse/hookhouse/examples/github-ci/git"
	"github.com/hookhouse/hookhouse/examples/github-ci/jobs"
	"github.com/hookhouse/hookhouse/examples/github-ci/status"
	"github.com/hookhouse/hookhouse/github"
)

// checkAll is -check. It changes nothing, so it also works while the program runs: for
// that reason it runs nothing as the users of -as, where each command ends with the death
// of all processes of its user.
func (s *settings) checkAll(ctx context.Context, log *slog.Logger) error {
	temp, err := os.MkdirTemp("", "github-ci-check-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	dir, err := jobs.Open(temp)
	if err != nil {
		return err
	}
	defer dir.Close()
	repositories, err := git.NewStore(dir, s.pathEnv, s.networkEnv)
	if err != nil {
		return err
	}
	errs := []error{s.checkFolders(ctx)}
	for _, r := range s.rules {
		c := git.Commit{Remote: r.Remote}
		if git.IsSameServer(s.api, r.Remote) {
			c.Token = s.token
		}
		var output bytes.Buffer
		if err := repositories.CheckRemote(ctx, c, &output); err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w: %s", r.Name, r.Remote, err, bytes.TrimSpace(output.Bytes())))
		}
		if s.status {
			if err := (status.Reporter{API: s.api, Token: s.token}).Check(ctx, r.Name); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", r.Name, err))
			}
		}
	}
	errs = append(errs, s.checkHooks(ctx, log))
	if err := errors.Join(errs...); err != nil {
		return err
	}
	log.Info("the flags, the secrets, the configuration, the database and the repositories are fine", "repositories", len(s.rules), "secrets", len(s.buildSecrets))
	return nil
}

// checkHooks checks that the token can read the deliveries of each -catch-up-hook and ask for
// redeliveries.
func (s *settings) checkHooks(ctx context.Context, log *slog.Logger) error {
	if !s.looks() {
		return nil
	}
	client, err := github.NewClient(s.api.String(), github.Token(s.token))
	if err != nil {
		return fmt.Errorf("-api: %w", err)
	}
	var errs []error
	for _, hook := range s.hooks {
		if err := client.CheckHook(ctx, hook, true); err != nil {
			errs = append(errs, fmt.Errorf("missed pushes: %s: %w", tokenName, err))
			continue
		}
		log.Info("missed pushes can be found and sent again", "hook", hook)
	}
	return errors.Join(errs...)
}

// checkFolders checks -data and -db. A database in a folder that the start creates is
// fine.
func (s *settings) checkFolders(ctx context.Context) error {
	if _, err := os.Stat(s.data); errors.Is(err, fs.ErrNotExist) {
		if err := checkFolder(filepath.Dir(s.data)); err != nil {
			return fmt.Errorf("-data: %w", err)
		}
		if filepath.Dir(s.database) == s.data {
			return nil
		}
	} else if err := checkFolder(s.data); err != nil {
		return fmt.Errorf("-data: %w", err)
	}
	if err := checkStore(ctx, s.database); err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	return nil
}
